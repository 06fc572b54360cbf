"""What the passes write to: pictures of shots, and shadow maps."""

from collections import OrderedDict

import moderngl

from sim.renderers.gl.lamps import MAP_SIZE

SIZES = 4
WORD_LIGHTS = 4  # whose shares one word holds
STEP = 64  # px; a lens makes the drawn size of every shot another, and to make a target takes as long as to fill it


class Target:
    """Textures and framebuffers for pictures up to a size: samples half a pixel apart, light, and what is read back.

    Of `visibilities` there are two, for up to WORD_LIGHTS lights with a shadow and for more: it is read four times a
    pixel, so that its width counts.
    """

    def __init__(self, gl: moderngl.Context, width: int, height: int) -> None:
        fine = (2 * width + 1, 2 * height + 1)
        self.surfaces = gl.texture(fine, 1, dtype="u4")
        self.places = gl.texture(fine, 1, dtype="u4")
        self.depths = gl.depth_texture(fine)
        self.depths.compare_func = ""
        self.visibilities = [gl.texture((width // 2 + 1, height // 2 + 1), words, dtype="u4") for words in (2, 4)]
        self.radiances = gl.texture((width, height), 4, dtype="f4")
        words = gl.texture((width, height), 2, dtype="u4")
        textures = (self.surfaces, self.places, self.depths, *self.visibilities, self.radiances, words)
        for texture in textures:
            texture.filter = (gl.NEAREST, gl.NEAREST)
        self.surface = gl.framebuffer([self.surfaces, self.places], self.depths)
        self.visibility = [gl.framebuffer([texture]) for texture in self.visibilities]
        self.shade = gl.framebuffer([self.radiances])
        self.words = gl.framebuffer([words])
        self._all: tuple[moderngl.Framebuffer | moderngl.Texture, ...]
        self._all = (self.surface, *self.visibility, self.shade, self.words, *textures)

    def release(self) -> None:
        """Give the memory back."""
        for one in self._all:
            one.release()


class Targets:
    """The last SIZES targets that were asked for."""

    def __init__(self, gl: moderngl.Context) -> None:
        self._gl = gl
        self._of_size: OrderedDict[tuple[int, int], Target] = OrderedDict()

    def of(self, width: int, height: int) -> Target:
        """A target with room for width x height pixels."""
        size = (-(-width // STEP) * STEP, -(-height // STEP) * STEP)
        if size not in self._of_size:
            if len(self._of_size) == SIZES:
                self._of_size.popitem(last=False)[1].release()
            self._of_size[size] = Target(self._gl, *size)
        self._of_size.move_to_end(size)
        return self._of_size[size]


class ShadowMaps:
    """Textures that hold the maps of several lights side by side, one texture for each number of lights: to clear a
    wide one for a single light would cost more than to draw its map. A map has distances in m, since what reads it
    wants them so, and reads each pixel of it many times."""

    def __init__(self, gl: moderngl.Context) -> None:
        self._gl = gl
        self._of_count: dict[int, tuple[moderngl.Framebuffer, moderngl.Texture]] = {}

    def of(self, lights: int) -> tuple[moderngl.Framebuffer, moderngl.Texture]:
        """Framebuffer and texture with room for that many maps."""
        if lights not in self._of_count:
            size = (lights * MAP_SIZE, MAP_SIZE)
            texture = self._gl.texture(size, 1, dtype="f4")
            texture.filter = (self._gl.NEAREST, self._gl.NEAREST)
            texture.repeat_x = texture.repeat_y = False
            depth = self._gl.depth_renderbuffer(size)
            self._of_count[lights] = self._gl.framebuffer([texture], depth), texture
        return self._of_count[lights]
