// What all passes over the picture know of the scene and of the shot.

const int LIGHTS = 8;
const int BODIES = 1023;

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
uniform sampler2D depths;

// Distance along the optical axis (m) of a value of the depth buffer.
float metres_of(float depth) {
    return planes.x * planes.y / (planes.y - (planes.y - planes.x) * depth);
}

vec3 decode_normal(uint word) {
    vec2 f = (vec2(word & 2047u, word >> 11 & 2047u) - 1023.0) / 1023.0;
    vec3 n = vec3(f, 1.0 - abs(f.x) - abs(f.y));
    float t = max(-n.z, 0.0);
    n.x += n.x >= 0.0 ? -t : t;
    n.y += n.y >= 0.0 ? -t : t;
    return normalize(n);
}

// How little two surfaces differ: bodies first, then normals.
int unlike(uint a, uint b) {
    ivec2 turn = abs(ivec2(a & 2047u, a >> 11 & 2047u) - ivec2(b & 2047u, b >> 11 & 2047u));
    return (a >> 22) == (b >> 22) ? turn.x + turn.y : 1 << 20;
}
