// What is visible, without light: the normal in an octahedral map with the number of the body, and the place in the
// texture. Two targets of one word each, of which only the first needs clearing: Mesa clears words of four bytes fast.
#version 430

in vec3 facing;
in vec2 place;
flat in uint body;

layout(location = 0) out uint surface;
layout(location = 1) out uint texture_place;

void main() {
    vec3 n = (gl_FrontFacing ? 1.0 : -1.0) * facing / (abs(facing.x) + abs(facing.y) + abs(facing.z));
    vec2 folded = (1.0 - abs(n.yx)) * vec2(n.x >= 0.0 ? 1.0 : -1.0, n.y >= 0.0 ? 1.0 : -1.0);
    vec2 octahedral = n.z >= 0.0 ? n.xy : folded;  // Cigolle et al., JCGT 2014
    uvec2 cell = uvec2(octahedral * 1023.0 + 1023.5);
    surface = cell.x | cell.y << 11 | body << 22;
    texture_place = packUnorm2x16(fract(place));
}
