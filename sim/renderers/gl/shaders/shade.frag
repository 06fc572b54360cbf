// Light on what is visible at the centre of each pixel.
#version 430

const int LIGHTS = 8;
const int BODIES = 1023;
const float PI = 3.14159265;

struct Material {
    vec4 colour;  // linear rgb; layer of the texture, or -1
    vec4 finish;  // roughness, metallic, specular, label
};

struct Light {
    mat4 map_from_base;  // to texels' place and depth in [0, 1]
    vec4 vector;         // to the light, or its place; w: 0 directional, 1 point, 2 area
    vec4 colour;         // linear rgb times intensity; radius (rad or m)
    vec4 axis;           // where an area light faces
    vec4 map;            // has a shadow map; size of a texel (m) at unit distance; near and far (m)
};

layout(std140) uniform Materials { Material materials[BODIES]; };
layout(std140) uniform Lamps {
    Light lights[LIGHTS];
    vec4 sky;     // linear rgb times ambient; number of lights
    vec4 ground;  // linear rgb times ambient; layer of the backdrop, or -1
    vec4 behind;  // linear rgb that tints the backdrop
};
layout(std140) uniform Window {
    mat4 base_from_ray;  // (u, v, 1, 0) in pixels of the shot to a ray of depth 1 in the base frame
    vec4 eye;
    vec4 planes;         // near, far (m)
    vec4 image;          // from pixels of the shot to the camera's image in [0, 1]: offset, scale
};

uniform usampler2D surfaces;
uniform sampler2D depths;
uniform sampler2DArray textures;
uniform sampler2D shadows;
uniform sampler2DShadow shadow_tests;

layout(location = 0) out vec4 radiance;

vec3 decode_normal(uint word) {
    vec2 f = (vec2(word & 2047u, word >> 11 & 2047u) - 1023.0) / 1023.0;
    vec3 n = vec3(f, 1.0 - abs(f.x) - abs(f.y));
    float t = max(-n.z, 0.0);
    n.x += n.x >= 0.0 ? -t : t;
    n.y += n.y >= 0.0 ? -t : t;
    return normalize(n);
}

// Linear light of an encoded colour, by a polynomial that is off by less than half a step of eight bits.
vec3 decode(vec3 c) {
    return c * (c * (c * 0.305306011 + 0.682171111) + 0.012522878);
}

float visible(int number, Light light, vec3 at, vec3 normal, float distance, float turn) {
    bool perspective = light.vector.w > 0.5;
    float texel = light.map.y * (perspective ? distance : 1.0);
    vec4 projected = light.map_from_base * vec4(at + normal * texel * 1.5, 1.0);
    vec3 place = projected.xyz / projected.w;
    if (place.x <= 0.0 || place.x >= 1.0 || place.y <= 0.0 || place.y >= 1.0 || place.z >= 1.0) return 1.0;
    vec2 offset = vec2(number, 0.0);
    float bias = 0.0005;
    vec2 scale = vec2(1.0 / float(LIGHTS), 1.0);
    vec2 size = vec2(textureSize(shadows, 0));
    float sum = 0.0;
    for (int i = 0; i < 9; i++) {
        vec2 shift = vec2(i % 3 - 1, i / 3 - 1) / size.y;
        sum += texture(shadow_tests, vec3((place.xy + shift + offset) * scale, place.z - bias));
    }
    return sum / 9.0;
}

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    float depth = texelFetch(depths, 2 * pixel + 1, 0).x;
    if (depth == 1.0) {
        vec2 place = image.xy + image.zw * gl_FragCoord.xy;
        place = 1.0 - abs(mod(place, 2.0) - 1.0);
        vec3 seen = ground.w < 0.0 ? vec3(1.0) : decode(textureLod(textures, vec3(place, ground.w), 0.0).rgb);
        radiance = vec4(seen * behind.rgb, 1.0);
        return;
    }
    uvec4 surface = texelFetch(surfaces, 2 * pixel + 1, 0);
    float metres = planes.x * planes.y / (planes.y - (planes.y - planes.x) * depth);
    vec3 ray = (base_from_ray * vec4(gl_FragCoord.xy, 1.0, 0.0)).xyz;
    vec3 at = eye.xyz + metres * ray;
    vec3 to_eye = -normalize(ray);
    vec3 normal = decode_normal(surface.x);
    Material material = materials[surface.x >> 22];

    vec3 albedo = material.colour.rgb;
    if (material.colour.w >= 0.0) {
        vec2 dx = 2.0 * unpackHalf2x16(surface.z), dy = 2.0 * unpackHalf2x16(surface.w);
        vec3 place = vec3(unpackUnorm2x16(surface.y), material.colour.w);
        albedo *= decode(textureGrad(textures, place, dx, dy).rgb);
    }
    float roughness = max(material.finish.x, 0.05), metallic = material.finish.y;
    vec3 diffuse = albedo * (1.0 - metallic);
    vec3 straight = mix(vec3(0.08 * material.finish.z), albedo, metallic);
    float facing = max(dot(normal, to_eye), 1e-3);

    // Light from all around; the mirror's part after Lazarov, SIGGRAPH 2013.
    vec3 mirrored = 2.0 * facing * normal - to_eye;
    float horizon = smoothstep(-roughness - 0.1, roughness + 0.1, mirrored.z);
    vec4 r = roughness * vec4(-1.0, -0.0275, -0.572, 0.022) + vec4(1.0, 0.0425, 1.04, -0.04);
    float a = min(r.x * r.x, exp2(-9.28 * facing)) * r.x + r.y;
    vec2 glance = vec2(-1.04, 1.04) * a + r.zw;
    vec3 sum = diffuse * mix(ground.rgb, sky.rgb, 0.5 + 0.5 * normal.z)
             + (straight * glance.x + glance.y) * mix(ground.rgb, sky.rgb, horizon);

    float turn = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715))));
    for (int i = 0; i < int(sky.w); i++) {
        Light light = lights[i];
        vec3 way = light.vector.xyz;
        float strength = 1.0, distance = 1.0, spread = light.colour.w;
        if (light.vector.w > 0.5) {
            way -= at;
            distance = length(way);
            way /= distance;
            float squared = light.colour.w * light.colour.w;
            bool area = light.vector.w > 1.5;
            strength = area ? max(-dot(way, light.axis.xyz), 0.0) * (1.0 + squared) / (distance * distance + squared)
                            : 1.0 / (distance * distance);
            spread /= distance;
        }
        float cosine = dot(normal, way);
        if (cosine <= 0.0 || strength <= 0.0) continue;
        if (light.map.x > 0.5) strength *= visible(i, light, at, normal, distance, turn);
        vec3 halfway = normalize(way + to_eye);
        float nh = max(dot(normal, halfway), 0.0), vh = max(dot(to_eye, halfway), 0.0);
        // GGX with the fast height-correlated visibility (Hammon, GDC 2017), widened by the light's size (Karis, 2013).
        float alpha = roughness * roughness, wide = min(alpha + 0.5 * spread, 1.0);
        float denominator = nh * nh * (wide * wide - 1.0) + 1.0;
        float peak = alpha * alpha / (PI * denominator * denominator);
        float shape = 0.5 / mix(2.0 * cosine * facing, cosine + facing, alpha);
        float rim = 1.0 - vh;
        float rim2 = rim * rim;
        vec3 fresnel = straight + (1.0 - straight) * (rim2 * rim2 * rim);
        sum += strength * cosine * light.colour.rgb * (diffuse + PI * peak * shape * fresnel);
    }
    radiance = vec4(min(sum, 1.0), 1.0);
}
