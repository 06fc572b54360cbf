// Light on what is visible at the centre of each pixel.
#version 430

const int LIGHTS = 8;
const int SHADOWED = 1;  // lights with a shadow map come first; their number is set when this is compiled
const int PLAIN = 1;
const int BODIES = 1023;
const float PI = 3.14159265;
const float INFINITY = 1.0 / 0.0;
const float MAP_SIZE = 512.0;
const float WIDEST = 24.0;

struct Material {
    vec4 colour;  // linear rgb; layer of the texture and, as its fraction, how dense it is, or -1
    vec4 finish;  // roughness, metallic, specular, label
};

struct Light {
    mat4 map_from_base;  // to texels' place and depth in [0, 1]
    vec4 vector;         // to the light, or its place; w: 0 directional, 1 point, 2 area
    vec4 colour;         // linear rgb times intensity; radius (rad or m)
    vec4 axis;           // where an area light faces
    vec4 map;            // x: size of a texel (m; of a lamp's map, at a distance of 1 m), z and w: near and far (m)
};

layout(std140) uniform Materials { Material materials[BODIES]; };
layout(std140) uniform Lamps {
    Light lights[LIGHTS];
    vec4 sky;     // linear rgb times ambient
    vec4 ground;  // linear rgb times ambient; layer of the backdrop, or -1
    vec4 behind;  // linear rgb that tints the backdrop
};
layout(std140) uniform Window {
    mat4 base_from_ray;  // (u, v, 1, 0) in pixels of the shot to a ray of depth 1 in the base frame
    vec4 eye;            // and the width of a pixel at a depth of 1 m
    vec4 planes;         // near, far (m); width and height of the picture
    vec4 image;          // from pixels of the shot to the camera's image in [0, 1]: offset, scale
};

uniform usampler2D surfaces;
uniform usampler2D places;
uniform sampler2D depths;
uniform sampler2DArray textures;
uniform sampler2D shadows;  // distance of the nearest body (m), the maps side by side

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

// Places on a disc, shared by the pixels of a 2 x 2 square: the second to fourth pixel turn the first one's by a right
// angle more each. Where to look for blockers, and where to test the light.
const int SEEKS = 2, TESTS = 3;
const vec2 SEARCH[SEEKS] = vec2[](vec2(0.0), vec2(0.55, 0.45));
const vec2 DISC[TESTS] = vec2[](vec2(0.35, 0.0), vec2(-0.48, 0.46), vec2(0.28, -0.88));

// The mean over the pixels of a 2 x 2 square that show the same surface, `kin` telling which neighbours do.
float shared_mean(float value, vec2 kin, vec2 side) {
    float x = value + kin.x * 0.5 * side.x * dFdx(value);
    return x + kin.y * 0.5 * side.y * dFdy(x);
}

// Share of a light that reaches a surface: the blockers' mean depth gives the penumbra's width (Fernando, 2005).
float lit(int number, vec3 at, vec3 normal, float distance, mat2 turn, vec2 kin, vec2 side) {
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
        float other = textureLod(shadows, centre + step * (reach * (turn * SEARCH[i])), 0.0).x;
        bool blocks = other < own - slope * reach * length(SEARCH[i]);
        blockers += blocks ? 1.0 : 0.0;
        depths += blocks ? other : 0.0;
    }
    blockers = shared_mean(blockers, kin, side);
    float between = shared_mean(depths, kin, side) / max(blockers, 1e-6);
    reach = clamp(radius * (own - between) / (lamp ? between : 1.0) / texel, 1.0, WIDEST);
    float sum = 0.0;
    for (int i = 0; i < TESTS; i++) {
        float other = textureLod(shadows, centre + step * (reach * (turn * DISC[i])), 0.0).x;
        sum += other < own - slope * reach * length(DISC[i]) ? 0.0 : 1.0 / float(TESTS);
    }
    bool outside = any(lessThan(place.xy, vec2(0.0))) || any(greaterThan(place.xy, vec2(1.0))) || own <= map.z;
    float share = shared_mean(sum, kin, side);
    return outside || blockers == 0.0 ? 1.0 : share;
}

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    float depth = texelFetch(depths, 2 * pixel + 1, 0).x;
    uint surface = texelFetch(surfaces, 2 * pixel + 1, 0).x;
    bool empty = depth == 1.0;
    uint body = empty ? 0u : surface >> 22;
    float metres = planes.x * planes.y / (planes.y - (planes.y - planes.x) * depth);
    vec3 ray = (base_from_ray * vec4(gl_FragCoord.xy, 1.0, 0.0)).xyz;
    vec3 at = eye.xyz + metres * ray;
    vec3 to_eye = -normalize(ray);
    vec3 normal = decode_normal(surface);
    vec4 colour = empty ? vec4(behind.rgb, ground.w) : materials[body].colour;
    vec4 finish = materials[body].finish;

    vec2 picture = 1.0 - abs(mod(image.xy + image.zw * gl_FragCoord.xy, 2.0) - 1.0);  // from the top, as pixels are
    picture.y = 1.0 - picture.y;
    vec2 place = unpackUnorm2x16(texelFetch(places, 2 * pixel + 1, 0).x);
    float facing = max(dot(normal, to_eye), 1e-3);
    float level = 64.0 * fract(colour.w) - 32.0 + log2(metres * eye.w * inversesqrt(facing + 0.02));
    vec4 texel = textureLod(textures, vec3(empty ? picture : place, floor(colour.w)), empty ? 0.0 : level);
    vec3 albedo = colour.w < 0.0 ? colour.rgb : colour.rgb * decode(texel.rgb);

    float roughness = max(finish.x, 0.05), metallic = finish.y;
    vec3 diffuse = albedo * (1.0 - metallic);
    vec3 straight = mix(vec3(0.08 * finish.z), albedo, metallic);
    float grazing = min(50.0 * max(straight.r, max(straight.g, straight.b)), 1.0);  // none where specular is 0

    // Light from all around; the mirror's part after Lazarov, SIGGRAPH 2013.
    vec3 mirrored = 2.0 * facing * normal - to_eye;
    float horizon = smoothstep(-roughness - 0.1, roughness + 0.1, mirrored.z);
    vec4 r = roughness * vec4(-1.0, -0.0275, -0.572, 0.022) + vec4(1.0, 0.0425, 1.04, -0.04);
    float a = min(r.x * r.x, exp2(-9.28 * facing)) * r.x + r.y;
    vec2 glance = vec2(-1.04, 1.04) * a + r.zw;
    vec3 sum = diffuse * mix(ground.rgb, sky.rgb, 0.5 + 0.5 * normal.z)
             + (straight * glance.x + grazing * glance.y) * mix(ground.rgb, sky.rgb, horizon);

    ivec2 corner = pixel & 1;
    vec2 side = 1.0 - 2.0 * vec2(corner);
    vec2 first = corner.y == 0 ? vec2(side.x, 0.0) : vec2(0.0, side.x);
    mat2 turn = mat2(first, vec2(-first.y, first.x));
    vec4 self = vec4(normal, 4.0 * float(body));
    vec2 kin = vec2(dot(abs(dFdx(self)), vec4(1.0)) < 0.3, dot(abs(dFdy(self)), vec4(1.0)) < 0.3);
    for (int i = 0; i < SHADOWED + PLAIN; i++) {
        vec4 vector = lights[i].vector;
        bool lamp = vector.w > 0.5;
        vec3 way = vector.xyz - (lamp ? at : vec3(0.0));
        float distance = length(way), radius = lights[i].colour.w, squared = distance * distance;
        way /= distance;
        float area = max(-dot(way, lights[i].axis.xyz), 0.0) * (1.0 + radius * radius) / (squared + radius * radius);
        float strength = vector.w > 1.5 ? area : lamp ? 1.0 / squared : 1.0;
        if (i < SHADOWED) strength *= lit(i, at, normal, distance, turn, kin, side);
        float cosine = max(dot(normal, way), 0.0);
        vec3 halfway = normalize(way + to_eye);
        float nh = max(dot(normal, halfway), 0.0), rim = 1.0 - max(dot(to_eye, halfway), 0.0);
        // GGX with the fast height-correlated visibility (Hammon, GDC 2017), widened by the light's size (Karis, 2013).
        float alpha = roughness * roughness, wide = min(alpha + 0.5 * (lamp ? radius / distance : radius), 1.0);
        float denominator = nh * nh * (wide * wide - 1.0) + 1.0;
        float peak = alpha * alpha / (PI * denominator * denominator);
        float shape = 0.5 / mix(2.0 * cosine * facing, cosine + facing, alpha);
        float rim2 = rim * rim;
        vec3 fresnel = straight + (grazing - straight) * (rim2 * rim2 * rim);
        sum += strength * cosine * lights[i].colour.rgb * (diffuse + PI * peak * shape * fresnel);
    }
    radiance = empty ? vec4(albedo, INFINITY) : vec4(min(sum, 1.0), metres);
}
