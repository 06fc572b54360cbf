// A body's triangles in the window of one shot. Rows of the model matrix come per body, so that one call draws all.
#version 430

in vec3 position;
in vec3 normal;
in vec2 uv;
in vec4 model_x;
in vec4 model_y;
in vec4 model_z;
in vec4 stretch;  // 1 / scale^2, for normals; number of the body
in float repeats;

uniform mat4 clip_from_base;

out vec3 facing;
out vec2 place;
flat out uint body;

void main() {
    vec4 local = vec4(position, 1.0);
    gl_Position = clip_from_base * vec4(dot(model_x, local), dot(model_y, local), dot(model_z, local), 1.0);
    vec3 bent = normal * stretch.xyz;
    facing = vec3(dot(model_x.xyz, bent), dot(model_y.xyz, bent), dot(model_z.xyz, bent));
    place = uv * repeats;
    body = uint(stretch.w);
}
