// Smooth edges, and everything that is read back in two words per pixel: rgb and label, depth.
//
// Nine samples of what is visible stand half a pixel apart about the pixel's centre, and count 1, 2 or 4 times of 16.
// Those that show another surface than the centre have the light of the pixel beside them that shows theirs (after
// Chajdas et al., I3D 2011).
#version 430
#include "scene.glsl"

const int ALIKE = 120;  // of normals on the octahedral map, about 7 degrees

uniform sampler2D radiances;

layout(location = 0) out uvec2 words;

// The sRGB number of linear light. Roots are cheaper than the power 1 / 2.4, which they meet to a tenth of a step of
// eight bits.
vec3 encode(vec3 light) {
    vec3 second = sqrt(light), fourth = sqrt(second), eighth = sqrt(fourth);
    vec3 curved = 0.653985 * second + 0.688714 * fourth - 0.318474 * eighth - 0.020188 * light - 0.004067;
    return mix(curved, 12.92 * light, lessThanEqual(light, vec3(0.0031308)));
}

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    ivec2 last = ivec2(planes.zw) - 1;
    vec2 half_pixel = 1.0 / vec2(textureSize(surfaces, 0));
    vec2 middle = (2.0 * gl_FragCoord.xy + 0.5) * half_pixel;
    uint centre = textureLod(surfaces, middle, 0.0).x;  // which Mesa does faster than texelFetch
    vec4 own = texelFetch(radiances, pixel, 0);

    uint foreign = 0u;  // a bit for each sample, row by row
    for (int i = 0; i < 9; i++) {
        uint seen = textureLod(surfaces, middle + vec2(i % 3 - 1, i / 3 - 1) * half_pixel, 0.0).x;
        foreign |= unlike(seen, centre) > ALIKE ? 1u << i : 0u;
    }
    vec3 sum = 16.0 * own.rgb;
    while (foreign != 0u) {
        int i = findLSB(foreign);
        foreign &= foreign - 1u;
        ivec2 aside = ivec2(i % 3 - 1, i / 3 - 1);
        uint seen = textureLod(surfaces, middle + vec2(aside) * half_pixel, 0.0).x;
        ivec2 best = pixel;
        int least = unlike(centre, seen);
        for (int k = 1; k < 4; k++) {
            ivec2 other = clamp(pixel + ivec2((k & 1) * aside.x, (k >> 1) * aside.y), ivec2(0), last);
            int difference = unlike(textureLod(surfaces, (2.0 * vec2(other) + 1.5) * half_pixel, 0.0).x, seen);
            best = difference < least ? other : best;
            least = min(least, difference);
        }
        float weight = aside.x == 0 || aside.y == 0 ? 2.0 : 1.0;
        sum += weight * (texelFetch(radiances, best, 0).rgb - own.rgb);
    }
    vec3 linear = clamp(sum / 16.0, 0.0, 1.0);
    vec3 shown = encode(linear);
    float label = isinf(own.w) ? 0.0 : materials[centre >> 22].finish.w / 255.0;
    words = uvec2(packUnorm4x8(vec4(shown, label)), floatBitsToUint(own.w));
}
