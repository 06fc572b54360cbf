// Light on what is visible at the centre of each pixel.
#version 430
#include "scene.glsl"

const int SHADOWED = 1;  // lights with a shadow map come first; their number is set when this is compiled
const int PLAIN = 1;
const float PI = 3.14159265;
const float INFINITY = 1.0 / 0.0;
const int ALIKE = 240;  // of normals on the octahedral map, about 14 degrees

uniform usampler2D places;
uniform usampler2D visibilities;  // what visibility.frag wrote
uniform sampler2DArray textures;

layout(location = 0) out vec4 radiance;

// Linear light of an encoded colour, by a polynomial that is off by less than half a step of eight bits.
vec3 decode(vec3 c) {
    return c * (c * (c * 0.305306011 + 0.682171111) + 0.012522878);
}

// The share of each light that arrives: the mean of the nearest places that show the same surface. One such place is
// the pixel itself in even rows and columns, and two or four lie around it in the others.
void arrive(ivec2 pixel, uint surface, out vec4 first, out vec4 second) {
    vec4 sums[2] = vec4[](vec4(0.0), vec4(0.0)), others[2] = vec4[](vec4(0.0), vec4(0.0));
    float count = 0.0;
    for (int i = 0; i < 4; i++) {
        ivec2 place = pixel / 2 + ivec2(i & 1, i >> 1) * (pixel & 1);
        uvec3 shares = texelFetch(visibilities, place, 0).xyz;
        float alike = unlike(shares.y, surface) <= ALIKE ? 1.0 : 0.0;
        count += alike;
        sums[0] += alike * unpackUnorm4x8(shares.x);
        others[0] += 0.25 * unpackUnorm4x8(shares.x);
        if (SHADOWED > 4) {
            sums[1] += alike * unpackUnorm4x8(shares.z);
            others[1] += 0.25 * unpackUnorm4x8(shares.z);
        }
    }
    first = count > 0.0 ? sums[0] / count : others[0];
    second = count > 0.0 ? sums[1] / count : others[1];
}

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    float depth = texelFetch(depths, 2 * pixel + 1, 0).x;
    uint surface = texelFetch(surfaces, 2 * pixel + 1, 0).x;
    bool empty = depth == 1.0;
    uint body = empty ? 0u : surface >> 22;
    float metres = metres_of(depth);
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

    vec4 share[2];
    if (SHADOWED > 0) arrive(pixel, surface, share[0], share[1]);
    for (int i = 0; i < SHADOWED + PLAIN; i++) {
        vec4 vector = lights[i].vector;
        bool lamp = vector.w > 0.5;
        vec3 way = vector.xyz - (lamp ? at : vec3(0.0));
        float distance = length(way), radius = lights[i].colour.w, squared = distance * distance;
        way /= distance;
        float area = max(-dot(way, lights[i].axis.xyz), 0.0) * (1.0 + radius * radius) / (squared + radius * radius);
        float strength = vector.w > 1.5 ? area : lamp ? 1.0 / squared : 1.0;
        if (i < SHADOWED) strength *= share[i / 4][i % 4];
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
