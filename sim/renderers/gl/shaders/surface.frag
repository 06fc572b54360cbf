// What is visible, without light. First word: the normal in an octahedral map and the number of the body. Second
// word: the place in the texture.
#version 430

in vec3 facing;
in vec2 place;
flat in uint body;

layout(location = 0) out uvec2 surface;

void main() {
    vec3 n = (gl_FrontFacing ? 1.0 : -1.0) * facing / (abs(facing.x) + abs(facing.y) + abs(facing.z));
    vec2 folded = (1.0 - abs(n.yx)) * vec2(n.x >= 0.0 ? 1.0 : -1.0, n.y >= 0.0 ? 1.0 : -1.0);
    vec2 octahedral = n.z >= 0.0 ? n.xy : folded;  // Cigolle et al., JCGT 2014
    uvec2 cell = uvec2(octahedral * 1023.0 + 1023.5);
    surface = uvec2(cell.x | cell.y << 11 | body << 22, packUnorm2x16(fract(place)));
}
