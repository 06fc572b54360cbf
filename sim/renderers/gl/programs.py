"""The shaders, compiled."""

from importlib import resources

import moderngl
import numpy as np

UNITS = {"surfaces": 0, "depths": 1, "radiances": 2, "textures": 3, "shadows": 4, "places": 5}
BLOCKS = {"Materials": 0, "Lamps": 1, "Window": 2}


class Programs:
    """The shaders of one context. `surface` and `shadow` draw bodies; `resolve` and `shade` fill the target."""

    def __init__(self, gl: moderngl.Context) -> None:
        self._gl = gl
        self.surface = self._compile("surface")
        self.shadow = self._compile("shadow")
        self.resolve = gl.vertex_array(self._compile("resolve", "screen"), [])
        self._shades: dict[tuple[int, int], moderngl.VertexArray] = {}

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
        folder = resources.files("sim.renderers.gl") / "shaders"
        fragments = (folder / f"{name}.frag").read_text()
        for constant, value in (constants or {}).items():
            fragments = fragments.replace(f"const int {constant} = 1;", f"const int {constant} = {value};")
        program = self._gl.program(
            vertex_shader=(folder / f"{vertices or name}.vert").read_text(), fragment_shader=fragments
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
