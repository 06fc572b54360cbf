"""A picture stands the same way in every renderer: row 0 is at the top, where v is 1."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from fixtures_renderers import each, opened
from fixtures_scenes import EVEN, table

from perception.camera import Camera
from sim.renderers import Shot
from sim.scene import SUPPORT, Body, Environment, Material, Texture
from sim.textures import FAMILIES, pixels

CORNERS = np.array([[(255, 0, 0), (0, 255, 0)], [(0, 0, 255), (255, 255, 0)]], np.uint8)


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """Red, green; blue, yellow: each at a corner of its own."""
    path = tmp_path_factory.mktemp("picture") / "corners.png"
    image = CORNERS.repeat(64, axis=0).repeat(64, axis=1)
    cv2.imwrite(str(path), image[..., ::-1])
    return Texture("picture", path=str(path))


def corners_of(rgb):
    """Which of the four colours each quarter of an image (H, W, 3) has."""
    height, width = rgb.shape[:2]
    places = [(v * height // 4, u * width // 4) for v in (1, 3) for u in (1, 3)]
    return [int(np.abs(CORNERS.reshape(4, 3).astype(int) - rgb[place]).sum(axis=1).argmin()) for place in places]


@pytest.mark.parametrize("name", each())
def test_a_picture_on_the_ground_is_upright_for_who_looks_along_y(name, picture):
    sheet = Body("plane", np.eye(4), Material((1.0, 1.0, 1.0), picture, specular=0.0), SUPPORT, (0.5, 0.5, 1.0))
    base = table()
    scene = replace(base, bodies=(sheet,), block=replace(base.block, x_m=3.0), lights=(), environment=EVEN)
    high = Camera.looking_at((0.0, -0.02, 2.0), (0.0, 0.0, 0.0), 480.0, 120, 120)  # y is up in the image
    renderer = opened(name)
    frame = renderer.render(scene, [Shot.whole(high)])[0]
    renderer.close()
    seen = frame.segmentation == SUPPORT
    assert seen[20, 20] and seen[100, 20] and seen[20, 100] and seen[100, 100]
    at = [frame.rgb[v, u] for v in (20, 100) for u in (20, 100)]
    assert corners_of(np.array(at).reshape(2, 2, 3).repeat(2, axis=0).repeat(2, axis=1)) == [0, 1, 2, 3]


@pytest.mark.parametrize("name", each())
def test_a_backdrop_is_upright(name, picture):
    base = table()
    behind = Environment(1.0, (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), picture)
    scene = replace(base, bodies=(), block=replace(base.block, x_m=-3.0), lights=(), environment=behind)
    away = Camera.looking_at((2.0, 0.0, 1.0), (4.0, 0.0, 1.2), 100.0, 120, 120)
    renderer = opened(name)
    frame = renderer.render(scene, [Shot.whole(away)])[0]
    renderer.close()
    assert corners_of(frame.rgb) == [0, 1, 2, 3]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_pattern_is_the_same_at_every_size(family):
    large = pixels(Texture(family, 2), 512).astype(float)
    for size in (256, 128, 64):
        small = cv2.resize(large, (size, size), interpolation=cv2.INTER_AREA)
        assert np.abs(small - pixels(Texture(family, 2), size)).mean() < 6.0
