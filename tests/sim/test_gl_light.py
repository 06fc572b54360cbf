"""The gl renderer's lights do what `sim.scene.Light` says, and shadows fall where geometry puts them."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from fixtures_renderers import opened
from fixtures_scenes import BLACK, WHITE, camera, pose, table

from sim.renderers import Shot
from sim.scene import BLOCK, SUPPORT, Block, Body, Environment, Light, View

DARK = Environment(ambient=0.0)
FLOOR = Body("plane", pose(1.2, 0.0, 0.0), WHITE, SUPPORT, (4.0, 4.0, 1.0))
ABOVE = camera(eye=(1.2001, 0.0, 2.0), target=(1.2, 0.0, 0.0), focal_px=300.0, size=(240, 180), roll_rad=0.0)
BLOCK_HEIGHT_M = 0.2


@pytest.fixture(scope="module")
def renderer():
    made = opened("gl")
    yield made
    made.close()


def scene(*lights, environment=DARK, bodies=(FLOOR,), block_x_m=1.2, **changes):
    """A white floor seen from straight above, with a block on it, clear of the robot."""
    block = Block((0.2, 0.2, BLOCK_HEIGHT_M), block_x_m, 0.0, 0.0, BLACK)
    return table(
        bodies=bodies, lights=lights, environment=environment, block=block, views=(View(ABOVE),),
        robot_materials=(BLACK,), **changes,
    )


def radiance(renderer, made):
    """(H, W, 3) linear light, and the points of the floor (H, W, 3) that the pixels show."""
    shot = Shot.whole(made.cameras[0])
    frame = renderer.render(made, [shot])[0]
    encoded = frame.rgb / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    u, v = np.meshgrid(np.arange(240) + 0.5, np.arange(180) + 0.5)
    rays = np.stack([(u - 120) / 300, (v - 90) / 300, np.ones_like(u)], axis=-1)
    points = ABOVE.position_m + frame.depth[..., None] * (rays @ ABOVE.T_camera_base[:3, :3])
    return linear, points, frame


def at(values, points, x, y, reach=0.012):
    """Mean of the values near a place of the floor."""
    near = np.hypot(points[..., 0] - x, points[..., 1] - y) < reach
    assert near.any()
    return values[near].mean(axis=0)


@pytest.mark.parametrize("elevation_deg", [90, 50, 25])
def test_a_directional_light_gives_its_intensity_times_the_cosine(renderer, elevation_deg):
    turn = np.radians(elevation_deg)
    light = Light("directional", (0.0, np.cos(turn), np.sin(turn)), intensity=0.7, shadow=False)
    linear, points, _ = radiance(renderer, scene(light))
    assert at(linear, points, 1.5, -0.3) == pytest.approx(0.7 * np.sin(turn), abs=0.006)


@pytest.mark.parametrize("height_m", [1.0, 1.4])
def test_a_point_light_falls_off_with_the_square_of_the_distance(renderer, height_m):
    light = Light("point", (1.5, -0.3, height_m), intensity=0.8, shadow=False)
    linear, points, _ = radiance(renderer, scene(light))
    assert at(linear, points, 1.5, -0.3) == pytest.approx(0.8 / height_m**2, abs=0.01)


def test_an_area_light_shines_along_its_axis_and_less_aside(renderer):
    """On its axis as a point light at 1 m; aside less by the cosines at the lamp and at the floor and by 1 / d^2."""
    radius, height = 0.2, 1.5
    light = Light("area", (0.0, 0.0, height), intensity=2.0, radius=radius, shadow=False)
    linear, points, _ = radiance(renderer, scene(light))
    for x in (1.0, 1.6):
        squared = x**2 + height**2
        wanted = 2.0 * (1 + radius**2) / (squared + radius**2) * height**2 / squared
        assert at(linear, points, x, 0.3)[0] == pytest.approx(
            wanted * ((squared / (squared + 0.09)) ** 2), rel=0.03
        )


def test_lights_add_up_in_linear_units(renderer):
    lights = [
        Light("directional", (0.3, 0.2, 0.9), (1.0, 0.5, 0.2), 0.4, shadow=False),
        Light("point", (1.5, -0.5, 1.2), (0.3, 1.0, 0.4), 0.3, shadow=False),
    ]
    together = radiance(renderer, scene(*lights))[0]
    apart = sum(radiance(renderer, scene(light))[0] for light in lights)
    assert np.abs(together - apart).max() < 0.015


@pytest.mark.parametrize("count", [4, 5, 8])
def test_each_of_many_lights_has_its_own_shadow(renderer, count):
    turns = 2 * np.pi * np.arange(count) / count
    lights = [Light("directional", (np.cos(turn), np.sin(turn), 1.0), intensity=1.0 / count) for turn in turns]
    together, _, frame = radiance(renderer, scene(*lights))
    apart = sum(radiance(renderer, scene(light))[0] for light in lights)
    off = np.abs(together - apart)[frame.segmentation == SUPPORT]
    assert np.percentile(off, 99) < 0.01 * count and off.mean() < 0.01
    assert apart[frame.segmentation == SUPPORT].min() < 0.9 * apart.max()


def test_the_sky_lights_what_faces_up(renderer):
    environment = Environment(ambient=0.5, sky=(1.0, 1.0, 1.0), ground=(0.0, 0.0, 0.0))
    linear, points, _ = radiance(renderer, scene(environment=environment))
    assert at(linear, points, 1.5, 0.3) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("kind", ["directional", "point"])
def test_a_shadow_falls_where_geometry_puts_it(renderer, kind):
    """A light at 45 degrees over +x: the block's shadow ends its own height beyond its far side."""
    vector = (1.0, 0.0, 1.0) if kind == "directional" else (1.2 + 40.0, 0.0, 40.1)
    intensity = 0.8 if kind == "directional" else 0.8 * 2 * 40.0**2
    linear, points, _ = radiance(renderer, scene(Light(kind, vector, intensity=intensity, radius=0.0)))
    end = 1.2 - 0.1 - BLOCK_HEIGHT_M
    assert at(linear, points, end + 0.03, 0.0).max() < 0.02
    assert at(linear, points, end + 0.15, 0.07).max() < 0.02
    assert at(linear, points, end - 0.03, 0.0).min() > 0.5
    assert at(linear, points, end + 0.1, 0.13).min() > 0.5
    assert at(linear, points, 1.2 + 0.16, 0.0).min() > 0.5


def test_a_shadow_begins_at_the_foot_of_what_casts_it(renderer):
    linear, points, frame = radiance(renderer, scene(Light("directional", (1.0, 0.0, 1.0), intensity=0.8)))
    x, y = points[..., 0], points[..., 1]
    beside = (frame.segmentation == SUPPORT) & (x > 0.94) & (x < 1.1) & (np.abs(y) < 0.08)
    assert beside.sum() > 200
    assert linear[beside].max() < 0.02


def test_no_shadow_without_one_asked_for(renderer):
    linear, points, _ = radiance(renderer, scene(Light("directional", (1.0, 0.0, 1.0), intensity=0.8, shadow=False)))
    assert at(linear, points, 1.0, 0.0).min() > 0.5


def penumbra_m(renderer, radius):
    """Along the shadow's end: the distance over which the light rises from a tenth to nine tenths."""
    linear, points, _ = radiance(renderer, scene(Light("directional", (1.0, 0.0, 1.0), intensity=0.8, radius=radius)))
    line = (np.abs(points[..., 1]) < 0.05) & (points[..., 0] < 1.08) & (points[..., 2] < 0.01)
    x, light = points[..., 0][line], linear[..., 0][line]
    order = np.argsort(x)
    smooth = np.convolve(light[order], np.ones(25) / 25, mode="valid") / light.max()
    places = x[order][12:-12]
    return places[np.argmax(smooth < 0.1)] - places[np.argmax(smooth < 0.9)]


def test_a_larger_light_has_a_wider_penumbra(renderer):
    """The edge is 0.283 m from its shadow, and the light comes at 45 degrees: 2 * radius * 0.283 * sqrt(2) on the
    floor from dark to full light, of which a disc spends about 0.69 between a tenth and nine tenths."""
    hard, soft = penumbra_m(renderer, 0.001), penumbra_m(renderer, 0.1)
    assert hard < 0.025
    assert 0.035 < soft < 0.08


def test_lit_faces_are_free_of_their_own_shadow(renderer):
    light = Light("directional", (0.6, 0.1, 0.8), intensity=0.8, radius=0.05)
    made = scene(light)
    made = replace(made, block=replace(made.block, material=WHITE))
    linear, _, frame = radiance(renderer, made)
    top = (frame.segmentation == BLOCK) & (np.abs(frame.depth - (2.0 - BLOCK_HEIGHT_M)) < 0.01)
    inner = cv2.erode(top.astype(np.uint8), np.ones((5, 5))) > 0
    assert inner.sum() > 500
    assert linear[inner].min() > 0.99 * linear[inner].max()


def test_a_shadow_reaches_far_below_all_that_casts_one(renderer):
    made = scene(Light("directional", (0.0, 0.0, 1.0), intensity=0.8))
    lifted = replace(made.block, pose=pose(1.5, 0.4, 0.9), x_m=1.5, y_m=0.4)
    beside = camera(eye=(2.4, 0.4, 0.5), target=(1.5, 0.4, 0.0), focal_px=300.0, size=(240, 180), roll_rad=0.0)
    frame = renderer.render(replace(made, block=lifted), [Shot.whole(beside)])[0]
    u, v = beside.project((1.5, 0.4, 0.0))[0].astype(int)
    assert (frame.segmentation == SUPPORT)[v, u]
    assert frame.rgb[v - 8 : v + 8, u - 8 : u + 8].max() < 20


def test_too_many_lights_are_refused(renderer):
    with pytest.raises(ValueError, match=r"9 lights.*at most 1023 and 8"):
        radiance(renderer, scene(*[Light("directional", (0.0, 0.0, 1.0))] * 9))
