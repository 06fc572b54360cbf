// Smooth edges, and everything that is read back in two words per pixel: rgb and label, depth.
//
// Nine samples of what is visible stand half a pixel apart about the pixel's centre. Each has the light of the pixel
// around it that shows the same surface (after Chajdas et al., I3D 2011), and counts 1, 2 or 4 times of 16.
#version 430

const int BODIES = 1023;

struct Material {
    vec4 colour;
    vec4 finish;
};

layout(std140) uniform Materials { Material materials[BODIES]; };
layout(std140) uniform Window {
    mat4 base_from_ray;
    vec4 eye;
    vec4 planes;
    vec4 image;
};

uniform usampler2D surfaces;
uniform sampler2D depths;
uniform sampler2D radiances;

layout(location = 0) out uvec2 words;

const uint NOTHING = 0xffffffffu;

// How little two surfaces differ; bodies first, then normals.
int likeness(uint a, uint b) {
    ivec2 turn = abs(ivec2(a & 2047u, a >> 11 & 2047u) - ivec2(b & 2047u, b >> 11 & 2047u));
    return (a >> 22) == (b >> 22) ? turn.x + turn.y : 1 << 20;
}

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    ivec2 last = textureSize(radiances, 0) - 1;
    uint centre = texelFetch(surfaces, 2 * pixel + 1, 0).x;
    vec3 own = texelFetch(radiances, pixel, 0).rgb;
    vec3 sum = 4.0 * own;
    for (int y = -1; y <= 1; y++) {
        for (int x = -1; x <= 1; x++) {
            if (x == 0 && y == 0) continue;
            uint seen = texelFetch(surfaces, 2 * pixel + 1 + ivec2(x, y), 0).x;
            float weight = x == 0 || y == 0 ? 2.0 : 1.0;
            int least = likeness(centre, seen);
            vec3 light = own;
            for (int i = 1; i < 4; i++) {
                ivec2 move = ivec2((i & 1) * x, (i >> 1) * y);
                ivec2 other = clamp(pixel + move, ivec2(0), last);
                int unlike = likeness(texelFetch(surfaces, 2 * other + 1, 0).x, seen);
                if (unlike < least) {
                    least = unlike;
                    light = texelFetch(radiances, other, 0).rgb;
                }
            }
            sum += weight * light;
        }
    }
    vec3 linear = sum / 16.0;
    vec3 shown = mix(1.055 * pow(linear, vec3(1.0 / 2.4)) - 0.055, 12.92 * linear, lessThanEqual(linear, vec3(0.0031308)));
    float depth = texelFetch(depths, 2 * pixel + 1, 0).x;
    bool empty = depth == 1.0;
    float metres = planes.x * planes.y / (planes.y - (planes.y - planes.x) * depth);
    float label = empty ? 0.0 : materials[centre >> 22].finish.w / 255.0;
    words = uvec2(packUnorm4x8(vec4(shown, label)), empty ? 0x7f800000u : floatBitsToUint(metres));
}
