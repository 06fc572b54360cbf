// What is visible, without light. First word: the normal in an octahedral map and the number of the body. Second
// word: the place in the texture and the level of its mipmap.
#version 430

in vec3 facing;
in vec2 place;
flat in uint body;

layout(location = 0) out uvec2 surface;

const float TEXELS_PER_PIXEL = 2.0 * 256.0;  // samples are half a pixel apart, textures 256 texels wide

void main() {
    vec3 n = facing / (abs(facing.x) + abs(facing.y) + abs(facing.z));
    vec2 folded = (1.0 - abs(n.yx)) * vec2(n.x >= 0.0 ? 1.0 : -1.0, n.y >= 0.0 ? 1.0 : -1.0);
    vec2 octahedral = n.z >= 0.0 ? n.xy : folded;  // Cigolle et al., JCGT 2014
    uvec2 cell = uvec2(octahedral * 1023.0 + 1023.5);
    vec2 dx = dFdx(place), dy = dFdy(place);
    // The mean of both directions: a compromise between blur and flicker for surfaces seen at a low angle.
    float level = 0.5 * log2(0.5 * (dot(dx, dx) + dot(dy, dy)) * TEXELS_PER_PIXEL * TEXELS_PER_PIXEL + 1e-9);
    uvec2 at = uvec2(fract(place) * 8191.99);
    surface = uvec2(
        cell.x | cell.y << 11 | body << 22,
        at.x | at.y << 13 | uint(clamp(level, 0.0, 8.0) * (63.0 / 8.0) + 0.5) << 26
    );
}
