"""A thing of convex pieces is hollow where they leave room, and its mass is where they are."""

from dataclasses import replace

import numpy as np
import pytest

from sim.decomposition import convex_pieces
from sim.meshes import box, mesh_of, sphere
from sim.physics import Physics
from sim.settle import settle
from sim.shapes import CATEGORIES, make, template
from sim.shapes.solids import solid_of
from sim.solids import Solid, translation

BALL_M = 0.024
CUBE = np.array([(x, y, z) for x in (0, 0.02) for y in (0, 0.02) for z in (0, 0.02)], float)


def resting_height_m(vessel: Solid, height_m: float) -> float:
    """Height of a ball's centre that fell into a vessel from height_m."""
    ball = Solid(sphere(), translation(np.array([0.004, 0.0, height_m])), (BALL_M,) * 3, "ball")
    physics = Physics()
    try:
        physics.add(vessel, 0.3)
        number = physics.add(ball, 0.02)
        for _ in range(480):
            physics.fall()
        return float(physics.pose(number)[2, 3])
    finally:
        physics.close()


@pytest.mark.parametrize("category", ["mug", "cup", "bowl", "pan"])
def test_a_ball_that_falls_into_a_vessel_comes_to_rest_on_its_floor(category):
    shape = template(category)
    rim, floor = shape.vertices[:, 2].max(), shape.parameters.floor * shape.parameters.wall_m
    floor += getattr(shape.parameters, "foot_height_m", 0.0)
    height = resting_height_m(solid_of(shape, np.eye(4)), rim + BALL_M)
    assert height == pytest.approx(floor + BALL_M / 2, abs=0.0015)


def test_without_pieces_the_ball_stays_on_top():
    full = replace(solid_of(template("mug"), np.eye(4)), pieces=())
    rim = full.vertices[:, 2].max()
    assert resting_height_m(full, rim + BALL_M) > rim


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_shape_stands_where_it_is_put(category):
    pose = settle([solid_of(make(category, 8, 0), np.eye(4))]).poses[0]
    assert np.linalg.norm(pose[:3, 3]) < 0.004
    assert pose[2, 2] > np.cos(np.radians(6))  # a hammer leans on its handle


def test_mass_and_volume_are_those_of_the_pieces():
    two = Solid(box(), np.eye(4), pieces=(CUBE, 2 * CUBE + (0.1, 0, 0)))
    assert two.volume_m3 == pytest.approx(9 * 0.02**3)
    assert two.centre == pytest.approx((np.array([0.01] * 3) + 8 * np.array([0.12, 0.02, 0.02])) / 9)


def test_a_flat_piece_is_left_out():
    flat = CUBE * (1, 1, 0)
    assert Solid(box(), np.eye(4), pieces=(CUBE, flat)).volume_m3 == pytest.approx(0.02**3)


def test_a_scan_with_holes_is_cut_into_pieces_that_keep_its_hollow():
    shape = template("bowl")
    kept = shape.faces[np.random.default_rng(0).random(len(shape.faces)) > 0.005]
    pieces = convex_pieces(shape.vertices, kept)
    solid = Solid(mesh_of(shape.vertices, kept), np.eye(4), name="scan", pieces=pieces)
    parameters = shape.parameters
    floor = parameters.foot_height_m + parameters.floor * parameters.wall_m
    height = resting_height_m(solid, shape.vertices[:, 2].max() + BALL_M)
    assert height == pytest.approx(floor + BALL_M / 2, abs=0.004)


@pytest.mark.parametrize(
    ("vertices", "faces", "words"),
    [
        (np.zeros((0, 3)), np.zeros((0, 3), int), "the mesh is empty"),
        (np.full((3, 3), np.nan), np.array([(0, 1, 2)]), "not finite"),
        (CUBE, np.array([(0, 1, 99)]), "faces of vertices that it has not"),
        (np.zeros((3, 3)), np.array([(0, 1, 2)]), "all vertices of the mesh are in one place"),
        (CUBE, np.zeros((500_001, 3), int), "decimate it to 500000"),
    ],
)
def test_a_mesh_that_cannot_be_cut_is_refused_in_one_sentence(vertices, faces, words):
    with pytest.raises(ValueError, match=words):
        convex_pieces(vertices, faces)
