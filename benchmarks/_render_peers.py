"""What the gl renderer is measured against: PyBullet's renderers as one would call them, and the least that OpenGL
must do."""

import time
from collections.abc import Sequence
from importlib.util import find_spec

import cv2
import numpy as np

from sim.bullet import pybullet
from sim.renderers import Frame, Shot
from sim.renderers.bullet_stage import BulletStage
from sim.scene import Scene

NEAR_M, FAR_M = 0.05, 12.0


class PluginStage(BulletStage):
    """With the EGL plugin in every client: where one lacks it, TinyRenderer draws without a word."""

    def _connect(self) -> None:
        super()._connect()
        found = find_spec("eglRenderer")
        if found is None or pybullet.loadPlugin(found.origin, "_eglRendererPlugin", self.client) < 0:
            raise RuntimeError("the plugin does not load")


class Straight:
    """PyBullet's getCameraImage of the scene's bodies under its first light.

    plugin: by the EGL plugin, else by TinyRenderer. shadows: with its own shadow map. finer: samples of a pixel along
    each axis; PyBullet smooths no edges, and a user who wants them smooth draws a larger picture and makes it smaller.
    """

    def __init__(self, plugin: bool, shadows: bool = True, finer: int = 1) -> None:
        stage = PluginStage() if plugin else BulletStage()
        self._stage, self._shadows, self._finer = stage, shadows, finer
        self._mode = pybullet.ER_BULLET_HARDWARE_OPENGL if plugin else pybullet.ER_TINY_RENDERER

    def render(self, scene: Scene, shots: Sequence[Shot]) -> list[Frame]:
        """See `sim.renderers.Renderer`."""
        from sim.renderers.tiny_light import LEAST_LIGHT_TILT
        from sim.stage import bodies

        labels = self._stage.show(bodies(scene), np.ones(3))
        first = scene.lights[0]
        direction = np.add(first.vector, (LEAST_LIGHT_TILT, 0, 0))
        light = {
            "lightDirection": direction.tolist(),
            "lightColor": list(first.rgb),
            "lightDistance": 3.0,
            "shadow": int(self._shadows),
            "lightAmbientCoeff": scene.environment.ambient,
            "lightDiffuseCoeff": 0.6,
            "lightSpecularCoeff": 0.1,
        }
        return [self._draw(shot, labels, light) for shot in shots]

    def close(self) -> None:
        """Disconnect."""
        self._stage.close()

    def _draw(self, shot: Shot, labels: np.ndarray, light: dict) -> Frame:
        from sim.renderers.tiny import view_matrix

        camera, near = shot.camera, NEAR_M / shot.camera.focal_px
        sides = np.array([shot.u0, shot.u1, shot.v1, shot.v0]) - np.repeat([camera.width / 2, camera.height / 2], 2)
        projection = pybullet.computeProjectionMatrix(*(sides * (near, near, -near, -near)), NEAR_M, FAR_M)
        _, _, rgba, depth, numbers = pybullet.getCameraImage(
            self._finer * shot.width,
            self._finer * shot.height,
            view_matrix(camera),
            projection,
            renderer=self._mode,
            physicsClientId=self._stage.client,
            **light,
        )
        finer, size = self._finer, (self._finer * shot.height, self._finer * shot.width)
        middle = (slice(finer // 2, None, finer),) * 2
        numbers = np.asarray(numbers, np.int32).reshape(size)[middle]
        buffer = np.asarray(depth, np.float32).reshape(size)[middle]
        metres = np.where(numbers < 0, np.inf, FAR_M * NEAR_M / (FAR_M - (FAR_M - NEAR_M) * buffer))
        rgb = np.asarray(rgba, np.uint8).reshape(*size, 4)[..., :3]
        if finer > 1:
            rgb = cv2.resize(rgb, (shot.width, shot.height), interpolation=cv2.INTER_AREA)
        return Frame(np.ascontiguousarray(rgb), metres, np.where(numbers < 0, 0, labels[numbers]).astype(np.uint8))


VERTEX = """#version 430
in vec3 position;
in vec3 normal;
uniform mat4 view;
uniform mat4 light;
out vec3 facing;
out vec3 seen;
void main() {
    facing = normal;
    seen = 0.5 + 0.5 * (light * vec4(position, 1.0)).xyz;
    gl_Position = view * vec4(position, 1.0);
}"""
FRAGMENT = """#version 430
in vec3 facing;
in vec3 seen;
uniform sampler2DShadow shadows;
out vec4 colour;
void main() {
    float lit = texture(shadows, seen - vec3(0.0, 0.0, 0.01));
    colour = vec4(vec3(0.2 + 0.7 * lit * max(dot(normalize(facing), vec3(0.48, 0.36, 0.8)), 0.0)), 1.0);
}"""


def bare_probe(triangles: int, size: int, repeats: int) -> list[float]:
    """Seconds per picture of one mesh of so many triangles under one light with a shadow map, read back as rgb: what
    no renderer with shadows can do without."""
    from sim.renderers.gl.context import Context

    context = Context()
    gl = context.gl
    rows = int(np.sqrt(triangles / 2))
    u, v = (grid.ravel() for grid in np.meshgrid(np.linspace(-1, 1, rows + 1), np.linspace(-1, 1, rows + 1)))
    points = np.stack([0.8 * u, 0.8 * v, 0.3 * np.sin(5 * u) * np.cos(4 * v)], axis=1)
    corner = (np.arange(rows)[:, None] * (rows + 1) + np.arange(rows)).ravel()
    faces = np.stack([corner, corner + 1, corner + rows + 2, corner, corner + rows + 2, corner + rows + 1], axis=1)
    data = np.concatenate([points, np.tile([0.0, 0.0, 1.0], (len(points), 1))], axis=1).astype("f4")
    program = gl.program(vertex_shader=VERTEX, fragment_shader=FRAGMENT)
    depth_only = gl.program(
        vertex_shader="#version 430\nin vec3 position;\nuniform mat4 light;\n"
        "void main() { gl_Position = light * vec4(position, 1.0); }",
        fragment_shader="#version 430\nvoid main() {}",
    )
    vertices, indices = gl.buffer(data), gl.buffer(faces.astype("i4"))
    drawn = gl.vertex_array(program, [(vertices, "3f 3f", "position", "normal")], indices)
    cast = gl.vertex_array(depth_only, [(vertices, "3f 12x", "position")], indices)
    shadows = gl.depth_texture((512, 512))
    maps = gl.framebuffer([], shadows)
    target = gl.framebuffer([gl.texture((size, size), 4)], gl.depth_renderbuffer((size, size)))
    tilted = np.array([[1, 0, 0.3, 0], [0, 1, 0.2, 0], [0.2, 0.1, -0.8, 0], [0, 0, 0, 1]], "f4")
    program["view"].write(tilted.T.tobytes())
    program["light"].write(tilted[[1, 0, 2, 3]].T.tobytes())
    depth_only["light"].write(tilted[[1, 0, 2, 3]].T.tobytes())
    gl.enable_only(gl.DEPTH_TEST)
    pixels, seconds = np.empty((size, size, 3), np.uint8), []
    for _ in range(repeats + 2):
        begin = time.perf_counter()
        maps.use()
        maps.clear(depth=1.0)
        cast.render()
        target.use()
        target.clear()
        shadows.use()
        drawn.render()
        target.read_into(pixels)
        seconds.append(time.perf_counter() - begin)
    gl.release()
    return seconds[2:]
