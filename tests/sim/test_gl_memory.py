"""What the gl renderer keeps between pictures is bounded, and never seen in a picture."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures_renderers import opened
from fixtures_scenes import cluttered, table, textured

from sim.renderers import Shot
from sim.renderers.gl import meshes, targets, textures
from sim.renderers.gl.renderer import GlRenderer
from sim.scene import Material, Texture


@pytest.fixture
def open_gl(request):
    """Opens renderers that are closed after the test."""

    def make():
        made = opened("gl")
        request.addfinalizer(made.close)
        return made

    return make


def photo(renderer, scene, width=80, height=60):
    return renderer.render(scene, [Shot.whole(scene.cameras[0], width, height)])[0]


def same(one, other):
    return all(np.array_equal(getattr(one, layer), getattr(other, layer)) for layer in ("rgb", "depth", "segmentation"))


def painted(first):
    """The cluttered table with six textures that start at number `first`."""
    scene = cluttered()
    bodies = tuple(
        replace(body, material=Material((1.0, 1.0, 1.0), Texture("noise", first + number), 2.0))
        for number, body in enumerate(scene.bodies)
    )
    return replace(scene, bodies=bodies)


def test_textures_that_had_to_make_room_come_back_the_same(open_gl, monkeypatch):
    wanted = [photo(open_gl(), painted(first)) for first in (0, 20, 40)]
    monkeypatch.setattr(textures, "LAYERS", 9)
    cramped = open_gl()
    for _ in range(2):
        for first, frame in zip((0, 20, 40), wanted, strict=True):
            assert same(photo(cramped, painted(first)), frame)


def test_a_scene_with_more_textures_than_layers_is_drawn(open_gl, monkeypatch):
    wanted = photo(open_gl(), painted(0))
    monkeypatch.setattr(textures, "LAYERS", 2)
    assert same(photo(open_gl(), painted(0)), wanted)


def test_the_least_recently_used_texture_makes_room(open_gl, monkeypatch):
    monkeypatch.setattr(textures, "LAYERS", 3)
    made = []
    monkeypatch.setattr(textures, "pixels", lambda texture, size: made.append(texture.seed) or textured_pixels(size))
    pool = open_gl()._textures
    for numbers in ((0, 1), (2,), (0,), (3,), (0,), (1,)):
        pool.layers([Texture("noise", number) for number in numbers])
    assert made == [0, 1, 2, 3, 1]


def textured_pixels(size):
    return np.zeros((size, size, 3), np.uint8)


def test_a_full_pool_of_meshes_is_emptied_and_filled_again(open_gl, monkeypatch):
    scenes = [table(), cluttered(), textured()]
    wanted = [photo(open_gl(), scene) for scene in scenes]
    monkeypatch.setattr(meshes, "VERTICES", 7_000)
    monkeypatch.setattr(meshes, "INDICES", 30_000)
    cramped = open_gl()
    for _ in range(2):
        for scene, frame in zip(scenes, wanted, strict=True):
            assert same(photo(cramped, scene), frame)


def test_pictures_of_many_sizes_do_not_disturb_each_other(open_gl):
    renderer, scene = open_gl(), cluttered()
    sizes = [(40 + 8 * number, 30 + 4 * number) for number in range(targets.SIZES + 3)]
    first = [photo(renderer, scene, *size) for size in sizes]
    assert all(
        same(photo(renderer, scene, *size), frame) for size, frame in reversed(list(zip(sizes, first, strict=True)))
    )


def test_two_renderers_draw_in_turns(open_gl):
    one, other = open_gl(), open_gl()
    wanted = photo(one, textured())
    photo(other, table())
    assert same(photo(one, textured()), wanted)
    other.close()
    other.close()
    assert same(photo(one, textured()), wanted)


def test_frames_keep_their_pixels_when_the_next_is_drawn(open_gl):
    renderer = open_gl()
    frame = photo(renderer, textured())
    before = frame.rgb.copy(), frame.depth.copy(), frame.segmentation.copy()
    photo(renderer, table())
    assert np.array_equal(frame.rgb, before[0])
    assert np.array_equal(frame.depth, before[1])
    assert np.array_equal(frame.segmentation, before[2])


def resident_mb():
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def churn():
    """Growth in MB over many scenes with new textures and sizes, and over contexts that come and go."""
    renderer = GlRenderer()

    def scenes(numbers):
        for number in numbers:
            photo(renderer, painted(6 * (number % 50)), 80 + 4 * (number % 7), 60)

    scenes(range(60))
    before = resident_mb()
    scenes(range(60, 200))
    drawn = resident_mb() - before
    GlRenderer().close()
    before = resident_mb()
    for _ in range(4):
        GlRenderer().close()
    return drawn, resident_mb() - before


def test_memory_stays_bounded(open_gl):
    """In a process of its own, so that what other tests left does not count."""
    open_gl().close()
    code = "import test_gl_memory as test; print(*test.churn())"
    done = subprocess.run([sys.executable, "-c", code], env=with_path(), capture_output=True, text=True, check=True)
    drawn, opened_mb = map(float, done.stdout.split())
    assert drawn < 12
    assert opened_mb < 40  # one context with its textures takes some 110


def with_path():
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "OMP_NUM_THREADS": "1"}
