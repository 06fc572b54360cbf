"""Pictures by Blender, where it is installed: light as bright as asked for, things where cameras project them."""

import numpy as np
import pytest

from perception.camera import Camera
from sim.meshes import load_mesh
from sim.renderers import Shot
from sim.renderers.cycles import ENERGY, lamp, linear
from sim.renderers.cycles_process import BlenderError, blender_python
from sim.renderers.cycles_studio import HalfSpheres, Item, Quality, Set, Studio, Surface
from sim.scene import Light

DARK = HalfSpheres(0.0, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
WHITE = Surface((1.0, 1.0, 1.0), roughness=1.0, specular=0.0)
ABOVE = Camera.looking_at((0.01, 0, 2), (0, 0, 0), 300, 64, 48)


def test_srgb_becomes_linear():
    assert linear((0.0, 0.5, 1.0)) == pytest.approx((0.0, 0.21404, 1.0), abs=1e-5)
    assert linear((0.04, 0.04, 0.04))[0] == pytest.approx(0.04 / 12.92)


@pytest.fixture(scope="module")
def studio():
    try:
        blender_python()
    except BlenderError as error:
        pytest.skip(str(error))
    made = Studio(threads=1)
    for name in ("plane", "box", "sphere"):
        made.need_mesh(name, load_mesh(name))
    yield made
    made.close()


def floor(lamps, world=DARK, surface=WHITE):
    return Set([Item("plane", np.diag([4.0, 4, 1, 1]), surface, 1)], lamps, world)


def radiance(studio, stage):
    frame = studio.draw(stage, [Shot.whole(ABOVE)], Quality(64, denoise=False, linear=True), geometry=False)[0]
    return frame.rgb[20:28, 28:36].reshape(-1, 3).mean(axis=0)


@pytest.mark.parametrize("radius", [0.0, 0.05])
@pytest.mark.parametrize("kind", ENERGY)
def test_a_lamp_is_as_bright_as_its_intensity_says(studio, kind, radius):
    if kind == "area" and radius == 0:
        pytest.skip("a disc without a size shines on nothing")
    light = Light(kind, (0.0, 0.0, 1.0), (1.0, 0.5, 1.0), 0.4, radius)
    assert radiance(studio, floor([lamp(light)])) == pytest.approx(
        [0.4, 0.4 * linear((0, 0.5, 0))[1], 0.4], rel=0.03
    )


def test_light_from_all_around_is_as_bright_as_it_says(studio):
    world = HalfSpheres(0.3, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    assert radiance(studio, floor([], world)) == pytest.approx(0.3, rel=0.03)


def test_a_colour_is_its_own_in_white_light(studio):
    light = lamp(Light("directional", (0.0, 0.0, 1.0), intensity=1.0))
    stage = floor([light], surface=Surface(linear((0.8, 0.4, 0.2)), roughness=1.0, specular=0.0))
    frame = studio.draw(stage, [Shot.whole(ABOVE)], Quality(32, denoise=False), geometry=False)[0]
    assert frame.rgb[24, 32] == pytest.approx(np.array([0.8, 0.4, 0.2]) * 255, abs=3)


def test_a_shadow_is_softer_under_a_larger_lamp(studio):
    pole = np.diag([0.1, 0.1, 0.5, 1.0])
    pole[2, 3] = 0.25
    widths = []
    for radius in (0.0, 0.15):
        light = lamp(Light("directional", (0.5, 0.0, 0.87), intensity=0.8, radius=radius))
        stage = Set([*floor([]).items, Item("box", pole, WHITE, 2)], [light], DARK)
        seen = studio.draw(stage, [Shot.whole(ABOVE)], Quality(64, denoise=False, linear=True))[0].rgb[..., 0]
        widths.append(((seen > 0.1) & (seen < 0.6)).sum())
    assert widths[1] > widths[0] + 30


@pytest.mark.parametrize(
    "shot",
    [(0, 0, 640, 480, 640, 480), (300, 200, 500, 400, 320, 160), (300, 200, 500, 400, 160, 320)],
    ids=["whole", "wide pixels", "tall pixels"],
)
def test_things_are_where_the_camera_projects_them(studio, shot):
    camera = Camera.looking_at((1.2, 0.3, 0.9), (0, 0, 0), 700, 640, 480, roll_rad=0.2)
    points = np.random.default_rng(0).uniform(-0.3, 0.3, (12, 3))
    items = []
    for number, point in enumerate(points):
        pose = np.diag([0.03, 0.03, 0.03, 1.0])
        pose[:3, 3] = point
        items.append(Item("sphere", pose, WHITE, 16 + number))
    window = Shot(camera, *shot)
    stage = Set(items, [], HalfSpheres(1.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))
    frame = studio.draw(stage, [window], Quality(4, denoise=False), colour=False)[0]
    pixels, depths = camera.project(points)
    found = 0
    for number, (expected, depth) in enumerate(zip(window.from_image(pixels), depths, strict=True)):
        rows, columns = np.nonzero(frame.segmentation == 16 + number)
        inside = len(rows) and min(rows.min(), columns.min()) > 0
        if inside and rows.max() < window.height - 1 and columns.max() < window.width - 1:
            found += 1
            assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx(tuple(expected), abs=0.25)
            assert frame.depth[rows, columns].min() == pytest.approx(depth - 0.015, abs=2e-3)
    assert found >= 3
    assert np.isinf(frame.depth[frame.segmentation == 0]).all()


def test_meshes_that_were_dropped_come_again(studio, monkeypatch):
    light = lamp(Light("directional", (0.0, 0.0, 1.0), intensity=0.5))
    before = radiance(studio, floor([light]))
    monkeypatch.setattr(studio._meshes, "most", 1)
    studio.need_mesh("sphere", load_mesh("sphere"))
    pose = np.diag([0.2, 0.2, 0.2, 1.0])
    studio.draw(Set([Item("sphere", pose, WHITE, 1)], [light], DARK), [Shot.whole(ABOVE)], Quality(1))
    for name in ("plane", "box"):
        studio.need_mesh(name, load_mesh(name))
    assert radiance(studio, floor([light])) == pytest.approx(before, abs=1e-6)


def test_a_new_picture_is_not_taken_for_the_one_that_it_replaces(studio):
    """Blender puts it at the same place in memory, by which Cycles knows what it keeps."""
    white = HalfSpheres(1.0, (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
    for number in range(8):
        studio.forget()
        studio.need_mesh("plane", load_mesh("plane"))
        for other in range(3):
            studio.need_picture(f"{number}/{other}", np.full((64, 64, 3), 25 * number + other, np.uint8))
        surface = Surface((1.0, 1.0, 1.0), f"{number}/{number % 3}", roughness=1.0, specular=0.0)
        stage = floor([], white, surface)
        frame = studio.draw(stage, [Shot.whole(ABOVE)], Quality(4, denoise=False, persistent=True))[0]
        assert frame.rgb[24, 32] == pytest.approx(25 * number + number % 3, abs=2)
