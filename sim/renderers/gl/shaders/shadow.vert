// A body's triangles as a light sees them.
#version 430

in vec3 position;
in vec4 model_x;
in vec4 model_y;
in vec4 model_z;

uniform mat4 clip_from_base;

void main() {
    vec4 local = vec4(position, 1.0);
    gl_Position = clip_from_base * vec4(dot(model_x, local), dot(model_y, local), dot(model_z, local), 1.0);
}
