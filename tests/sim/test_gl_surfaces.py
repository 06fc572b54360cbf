"""The gl renderer's materials, textures, edges and places, each against what is known without drawing."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures_renderers import centroid, opened, rays
from fixtures_scenes import EVEN, WHITE, camera, pose, table

from perception.camera import Camera
from sim.renderers import Shot
from sim.renderers.gl.lamps import linear
from sim.renderers.gl.textures import mipmaps
from sim.scene import BLOCK, DISTRACTOR, SUPPORT, Body, Environment, Light, Material, Texture, View

DARK = Environment(ambient=0.0)
BALL = Body("sphere", pose(1.5, 0.0, 0.3), WHITE, DISTRACTOR, (0.4, 0.4, 0.4))
BESIDE = camera(eye=(1.5, -1.5, 0.3), target=(1.5, 0.0, 0.3), focal_px=500.0, size=(200, 200), roll_rad=0.0)


@pytest.fixture(scope="module")
def renderer():
    made = opened("gl")
    yield made
    made.close()


def drawn(renderer, bodies, lights=(), environment=EVEN, seen_by=BESIDE):
    """The frame of some bodies, out of the robot's way."""
    made = table(bodies=bodies, lights=lights, environment=environment, views=(View(seen_by),))
    return renderer.render(made, [Shot.whole(seen_by)])[0]


def ball(renderer, **finish):
    """A ball of that finish, lit from the camera's side."""
    light = Light("directional", (0.3, -1.0, 0.4), intensity=0.4, shadow=False)
    body = replace(BALL, material=Material((0.6, 0.2, 0.1), **finish))
    frame = drawn(renderer, (body,), (light,), DARK)
    return frame.rgb[frame.segmentation == DISTRACTOR].astype(int)


def test_the_smoother_a_surface_the_smaller_and_brighter_its_highlight(renderer):
    rough, smooth = ball(renderer, roughness=0.7), ball(renderer, roughness=0.25)
    assert smooth.max() > rough.max() + 40
    assert (smooth.sum(axis=1) > 500).sum() < 0.1 * len(smooth)


def test_without_specular_there_is_only_the_diffuse_cosine(renderer):
    flat = ball(renderer, roughness=0.3, specular=0.0)
    assert flat.max() < 0.75 * ball(renderer, roughness=0.3, specular=1.0).max()


def test_metal_reflects_in_its_own_colour_and_scatters_nothing(renderer):
    plastic, metal = ball(renderer, roughness=0.3), ball(renderer, roughness=0.3, metallic=1.0)
    assert np.median(metal) < 0.3 * np.median(plastic)
    brightest = metal[metal.sum(axis=1).argmax()]
    assert brightest[0] > 1.5 * brightest[2]


def test_a_surface_shows_its_colour_in_even_white_light(renderer):
    for rgb in ((0.2, 0.5, 0.8), (0.9, 0.1, 0.4)):
        body = replace(BALL, material=Material(rgb, roughness=1.0, specular=0.0))
        assert np.abs(drawn(renderer, (body,)).rgb[100, 100] / 255 - rgb).max() < 0.01


def floor(texture, repeats):
    material = Material((1.0, 1.0, 1.0), texture, repeats, roughness=1.0, specular=0.0)
    return Body("plane", pose(3.0, 0.0, 0.0), material, SUPPORT, (4.0, 4.0, 1.0))


def test_textures_are_averaged_before_they_flicker(renderer):
    """From afar a fine checker is even gray, of the mean of its light; from near it has its full contrast."""
    texture = Texture("checker", 4)
    near = camera(eye=(3.0, 1.0, 0.25), target=(3.0, 0.0, 0.0), focal_px=200.0, size=(120, 120), roll_rad=0.0)
    far = camera(eye=(3.0, 6.0, 6.0), target=(3.0, 0.0, 0.0), focal_px=120.0, size=(120, 120), roll_rad=0.0)
    body = floor(texture, 60.0)
    contrast = [
        drawn(renderer, (body,), seen_by=seen).rgb[50:70, 50:70].astype(float).std(axis=(0, 1)).max()
        for seen in (near, far)
    ]
    assert contrast[0] > 10
    assert contrast[1] < 0.15 * contrast[0]


def test_mipmaps_average_light_and_not_numbers():
    picture = np.zeros((256, 256, 3), np.uint8)
    picture[::2] = 255
    levels = mipmaps(picture)
    assert [len(level) for level in levels] == [256, 128, 64, 32, 16, 8, 4, 2, 1]
    assert abs(int(levels[-1][0, 0, 0]) - 188) <= 2  # half the light, of which 188 is the sRGB number


def patch(place, turn_rad):
    """A thin square that faces the camera, turned in its plane."""
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    turned = np.array([(cos, 0, sin, 0), (0, 1, 0, 0), (-sin, 0, cos, 0), (0, 0, 0, 1)], float)
    return Body("box", pose(*place) @ turned, WHITE, DISTRACTOR, (0.2, 0.002, 0.2))


# What stands upright is lit by the ground, and nothing is seen behind it.
BLACK_SKY = Environment(1.0, sky=(0.0, 0.0, 0.0), ground=(1.0, 1.0, 1.0))


def test_edges_are_smooth_and_labels_are_not(renderer):
    frame = drawn(renderer, (patch((1.5, 0.0, 0.3), 0.3),), environment=BLACK_SKY)
    assert set(np.unique(frame.segmentation)) == {0, DISTRACTOR}
    inside = frame.segmentation == DISTRACTOR
    border = inside ^ np.roll(inside, 1, axis=1)
    assert len(np.unique(frame.rgb[border][:, 0])) > 6
    assert np.isinf(frame.depth[~inside]).all()
    assert np.isfinite(frame.depth[inside]).all()


def test_the_light_at_edges_puts_a_patch_where_it_is(renderer):
    """The centroid of a turned patch's light lies within 0.05 px of the projection of its centre."""
    for shift in (0.0, 0.0013, 0.0027):
        place = (1.53 + shift, 0.0, 0.28 - shift)
        frame = drawn(renderer, (patch(place, 0.4),), environment=BLACK_SKY)
        light = centroid(linear(frame.rgb[..., 0] / 255.0))
        assert np.abs(light - BESIDE.project((place[0], -0.001, place[2]))[0]).max() < 0.05


def test_depth_is_that_of_the_ray_through_the_pixels_centre(renderer):
    """On a plane seen at a low angle, where a twentieth of a pixel aside is another depth, also in a crop."""
    low = camera(eye=(3.0, -1.6, 0.35), target=(3.0, 0.0, 0.0), focal_px=220.0, size=(160, 120), roll_rad=0.3)
    made = table(bodies=(floor(None, 1.0),), views=(View(low),))
    for shot in (Shot.whole(low), Shot(low, 30.3, 40.7, 110.9, 101.2, 128, 96)):
        frame = renderer.render(made, [shot])[0]
        origin, directions = rays(shot)
        with np.errstate(divide="ignore"):
            wanted = -origin[2] / directions[..., 2]
        hit = frame.segmentation == SUPPORT
        per_pixel = np.abs(np.gradient(wanted, axis=0))
        assert hit.mean() > 0.5
        assert (np.abs(frame.depth - wanted)[hit] < 0.01 * per_pixel[hit] + 2e-5 * wanted[hit] ** 2).all()


def test_a_crop_is_the_part_of_the_whole(renderer):
    seen = Camera.looking_at((1.3, 0.75, 0.85), (0.4, 0.0, 0.2), 290.0, 320, 240)
    made = table(views=(View(seen),))
    whole, part = renderer.render(made, [Shot.whole(seen), Shot(seen, 64, 48, 192, 176, 128, 128)])
    assert (whole.segmentation[48:176, 64:192] == part.segmentation).mean() > 0.999
    assert np.abs(whole.rgb[48:176, 64:192].astype(int) - part.rgb).mean() < 0.5
    assert BLOCK in part.segmentation
