// How far from the light a body is, along the axis of the light's map, in m.
#version 430

uniform vec3 scale;  // of depth, of distance in perspective, and what is added

layout(location = 0) out float metres;

void main() {
    metres = scale.x * gl_FragCoord.z + scale.y / gl_FragCoord.w + scale.z;
}
