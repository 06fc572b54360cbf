// Which share of each light arrives, at every second pixel of every second row, and at which surface: eight bits per
// light of the first four, the surface, and eight bits per light of the others, where there are others.
#version 430
#include "scene.glsl"

const int SHADOWED = 1;  // lights with a shadow map come first; their number is set when this is compiled
const float INFINITY = 1.0 / 0.0;
const float MAP_SIZE = 512.0;
const float WIDEST = 24.0;

// Places on a disc (Vogel, 1979): where to look for blockers, and where to test the light.
const int SEEKS = 6, TESTS = 12;
const vec2 SEARCH[SEEKS] = vec2[](
    vec2(0.0), vec2(0.351, 0.192), vec2(-0.583, 0.144), vec2(0.415, -0.623), vec2(0.134, 0.861),
    vec2(-0.765, -0.612)
);
const vec2 DISC[TESTS] = vec2[](
    vec2(0.204, 0.000), vec2(-0.261, 0.239), vec2(0.040, -0.455), vec2(0.329, 0.429), vec2(-0.603, -0.107),
    vec2(0.571, -0.363), vec2(-0.191, 0.711), vec2(-0.364, -0.702), vec2(0.791, 0.289), vec2(-0.822, 0.339),
    vec2(0.396, -0.847), vec2(0.293, 0.934)
);

uniform sampler2D shadows;  // distance of the nearest body (m), the maps side by side

layout(location = 0) out uvec4 shares;

// Share of a light that reaches a surface: the blockers' mean depth gives the penumbra's width (Fernando, 2005).
float lit(int number, vec3 at, vec3 normal, float distance) {
    vec4 map = lights[number].map;
    bool lamp = lights[number].vector.w > 0.5;
    float radius = lights[number].colour.w;
    float texel = map.x * (lamp ? distance : 1.0);
    vec4 projected = lights[number].map_from_base * vec4(at + normal * (1.5 * texel), 1.0);
    vec3 place = projected.xyz / projected.w;
    float own = lamp ? projected.w : map.z + (map.w - map.z) * place.z;
    vec2 centre = vec2((place.x + float(number)) / float(SHADOWED), place.y);
    vec2 step = vec2(1.0 / float(SHADOWED), 1.0) / MAP_SIZE;
    float reach = clamp(radius * (own - map.z) / (lamp ? map.z : 1.0) / texel, 1.0, WIDEST);
    // A tap this far aside is a blocker only where it is clearly nearer, so that no surface shades itself.
    float slope = 1.5 * texel;
    float blockers = 0.0, depths = 0.0;
    for (int i = 0; i < SEEKS; i++) {
        float other = textureLod(shadows, centre + step * (reach * SEARCH[i]), 0.0).x;
        bool blocks = other < own - slope * reach * length(SEARCH[i]);
        blockers += blocks ? 1.0 : 0.0;
        depths += blocks ? other : 0.0;
    }
    float between = depths / max(blockers, 1e-6);
    reach = clamp(radius * (own - between) / (lamp ? between : 1.0) / texel, 1.0, WIDEST);
    float sum = 0.0;
    for (int i = 0; i < TESTS; i++) {
        float other = textureLod(shadows, centre + step * (reach * DISC[i]), 0.0).x;
        sum += other < own - slope * reach * length(DISC[i]) ? 0.0 : 1.0 / float(TESTS);
    }
    bool outside = any(lessThan(place.xy, vec2(0.0))) || any(greaterThan(place.xy, vec2(1.0))) || own <= map.z;
    return outside || blockers == 0.0 ? 1.0 : sum;
}

void main() {
    ivec2 pixel = min(2 * ivec2(gl_FragCoord.xy), ivec2(planes.zw) - 1);
    float metres = metres_of(texelFetch(depths, 2 * pixel + 1, 0).x);
    vec3 at = eye.xyz + metres * (base_from_ray * vec4(vec2(pixel) + 0.5, 1.0, 0.0)).xyz;
    uint surface = texelFetch(surfaces, 2 * pixel + 1, 0).x;
    vec3 normal = decode_normal(surface);
    float share[LIGHTS] = float[](1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0);
    for (int i = 0; i < SHADOWED; i++)
        share[i] = lit(i, at, normal, length(lights[i].vector.xyz - at));
    shares = uvec4(
        packUnorm4x8(vec4(share[0], share[1], share[2], share[3])),
        surface,
        packUnorm4x8(vec4(share[4], share[5], share[6], share[7])),
        0u
    );
}
