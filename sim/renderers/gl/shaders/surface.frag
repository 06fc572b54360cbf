// What is visible, without light: normal and body number in one word, place in the texture in the second, and how
// that place changes from sample to sample in the other two.
#version 430

in vec3 facing;
in vec2 place;
flat in uint body;

layout(location = 0) out uvec4 surface;

void main() {
    vec3 n = facing / (abs(facing.x) + abs(facing.y) + abs(facing.z));
    vec2 folded = (1.0 - abs(n.yx)) * vec2(n.x >= 0.0 ? 1.0 : -1.0, n.y >= 0.0 ? 1.0 : -1.0);
    vec2 octahedral = n.z >= 0.0 ? n.xy : folded;  // Cigolle et al., JCGT 2014
    uvec2 cell = uvec2(octahedral * 1023.0 + 1023.5);
    surface = uvec4(
        cell.x | cell.y << 11 | body << 22,
        packUnorm2x16(fract(place)),
        packHalf2x16(dFdx(place)),
        packHalf2x16(dFdy(place))
    );
}
