"""The shaders, compiled."""

from importlib import resources

import moderngl
import numpy as np

SHADERS = resources.files("sim.renderers.gl") / "shaders"
UNITS = {"surfaces": 0, "depths": 1, "radiances": 2, "textures": 3, "shadows": 4, "places": 5, "visibilities": 6}
BLOCKS = {"Materials": 0, "Lamps": 1, "Window": 2}


class Programs:
    """The shaders of one context. `surface` and `shadow` draw bodies; the others fill the target."""

    def __init__(self, gl: moderngl.Context) -> None:
        self._gl = gl
        gl.includes["scene.glsl"] = (SHADERS / "scene.glsl").read_text()
        self.surface = self._compile("surface")
        self.shadow = self._compile("shadow")
        self.resolve = gl.vertex_array(self._compile("resolve", "screen"), [])
        self._visibilities: dict[int, moderngl.VertexArray] = {}
        self._shades: dict[tuple[int, int], moderngl.VertexArray] = {}

    def visibility(self, shadowed: int) -> moderngl.VertexArray:
        """The shader that tells how much of so many lights arrives, compiled on first use."""
        if shadowed not in self._visibilities:
            program = self._compile("visibility", "screen", {"SHADOWED": shadowed})
            self._visibilities[shadowed] = self._gl.vertex_array(program, [])
        return self._visibilities[shadowed]

    def shade(self, shadowed: int, plain: int) -> moderngl.VertexArray:
        """The shader for that many lights with and without shadows, compiled on first use: where their number is a
        constant, a processor without branches does no work for lights that there are not."""
        if (shadowed, plain) not in self._shades:
            program = self._compile("shade", "screen", {"SHADOWED": shadowed, "PLAIN": plain})
            self._shades[shadowed, plain] = self._gl.vertex_array(program, [])
        return self._shades[shadowed, plain]

    def _compile(
        self, name: str, vertices: str | None = None, constants: dict[str, int] | None = None
    ) -> moderngl.Program:
        fragments = (SHADERS / f"{name}.frag").read_text()
        for constant, value in (constants or {}).items():
            fragments = fragments.replace(f"const int {constant} = 1;", f"const int {constant} = {value};")
        program = self._gl.program(
            vertex_shader=(SHADERS / f"{vertices or name}.vert").read_text(), fragment_shader=fragments
        )
        for uniform, unit in UNITS.items():
            if uniform in program:
                program[uniform] = unit
        for block, binding in BLOCKS.items():
            if block in program:
                found = program[block]
                assert isinstance(found, moderngl.UniformBlock)
                found.binding = binding
        return program


def write(program: moderngl.Program, name: str, values: np.ndarray) -> None:
    """Set a uniform to an array, a matrix as GLSL has it: column by column."""
    uniform = program[name]
    assert isinstance(uniform, moderngl.Uniform)
    uniform.write(values.T.astype(np.float32).tobytes())
