"""Fits of a network whose deformations are known, and the matches that come of them."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures_shapes import LATENT, bent, template, write_bending_bundle
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from perception.errors import BundleError, EngineError
from perception.shapes.chamfer import chamfer_distance, neighbours, pull
from perception.shapes.deformation import DeformationNetwork
from perception.shapes.matching import FitSettings, Matcher
from perception.shapes.rotations import angle_between, even_rotations
from perception.shapes.shape import Shape
from perception.shapes.similarity import Similarity, fitted

FAST = FitSettings(samples=600, template=500, starts=2, tries=10, steps=120, dense=4000)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return DeformationNetwork(write_bending_bundle(tmp_path_factory.mktemp("models")))


@pytest.fixture(scope="module")
def matcher(network):
    return Matcher(network, FAST)


def latent(seed):
    return 0.3 * np.random.default_rng(seed).normal(size=LATENT)


def shape_of(seed, scale=1.0, order=False, cloud=False):
    """A bent template, turned, moved and in another unit; with the order in which the template's points stand in it."""
    rng = np.random.default_rng(seed)
    mesh = template()
    turn = Rotation.random(random_state=seed).as_matrix()
    points = scale * (bent(mesh.points, latent(seed)) @ turn.T + rng.normal(size=3))
    places = rng.permutation(len(points)) if order else np.arange(len(points))
    return Shape(points[places], None if cloud else np.argsort(places)[mesh.faces]), np.argsort(places)


def test_the_gradient_of_the_decoder_is_that_of_the_chamfer_distance(network):
    rng = np.random.default_rng(0)
    points, code = network.template.points[:200], latent(1)
    target = bent(network.template.points[100:400], latent(2)) + 0.1
    u, v = rng.random(200), rng.random(300)
    tree = cKDTree(target)
    found = neighbours(bent(points, code), target, tree)
    weight, pulled = pull(found, target, u, v)
    deformed, gradient = network.decode_with_gradient(code[None], points, weight[None], pulled[None])
    assert np.allclose(deformed[0], bent(points, code), atol=1e-6)
    step = 1e-5
    for i in range(LATENT):
        apart = [
            neighbours(bent(points, code + sign * step * np.eye(LATENT)[i]), target, tree).distance(u, v)
            for sign in (1, -1)
        ]
        assert np.isclose(gradient[0, i], (apart[0] - apart[1]) / (2 * step), rtol=1e-3, atol=1e-4)


def test_the_chamfer_distance_is_that_of_all_pairs():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(40, 3)), rng.normal(size=(60, 3))
    squares = ((first[:, None] - second[None]) ** 2).sum(axis=2)
    assert np.isclose(chamfer_distance(first, second), squares.min(axis=1).mean() + squares.min(axis=0).mean())


def test_batches_and_chunks_do_not_change_what_is_decoded(network, monkeypatch):
    codes, points = np.stack([latent(i) for i in range(7)]), network.template.points
    whole = network.decode(codes, points)
    assert np.allclose(whole[3], bent(points, codes[3]), atol=1e-5)
    monkeypatch.setattr("perception.shapes.deformation._POINTS_AT_ONCE", 300)
    assert np.allclose(network.decode(codes, points), whole, atol=1e-6)
    assert network.encode(np.zeros((7, 200, 3))).shape == (7, LATENT)


def test_even_rotations_leave_no_gap_and_crowd_nowhere():
    grid = even_rotations(576)
    assert np.allclose(np.linalg.det(grid), 1) and np.allclose(grid @ grid.transpose(0, 2, 1), np.eye(3))
    anywhere = Rotation.random(300, random_state=0).as_matrix()
    assert np.degrees(angle_between(anywhere[:, None], grid[None]).min(axis=1).max()) < 35
    apart = angle_between(grid[:, None], grid[None]) + 9 * np.eye(len(grid))
    assert np.degrees(apart.min()) > 15


def test_a_similarity_is_found_from_weighted_pairs_and_undone():
    rng = np.random.default_rng(0)
    there = Similarity(Rotation.random(random_state=1).as_matrix(), rng.normal(size=3), 2.5)
    source = rng.normal(size=(30, 3))
    aim, weights = there.apply(source), rng.random(30)
    aim[:5] += 9
    weights[:5] = 0
    found = fitted(source, aim, weights)
    assert np.allclose(found.rotation, there.rotation) and np.isclose(found.scale, 2.5)
    assert np.allclose(found.undo(found.apply(source)), source)
    mirrored = fitted(source, source * [1, 1, -1], np.ones(30))
    assert np.isclose(np.linalg.det(mirrored.rotation), 1)


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_a_fit_finds_how_the_shape_was_bent_turned_and_scaled(matcher, seed):
    shape, _ = shape_of(seed, scale=250.0)
    fit = matcher.fit(shape)
    off = np.linalg.norm(fit.points[: len(shape.points)] - shape.points, axis=1) / fit.placement.scale
    assert off.mean() < 0.1  # of the radius: samples are 0.13 apart
    assert np.isclose(fit.residual.mean(), np.linalg.norm(shape.points - fit.points[fit.nearest], axis=1).mean())
    assert fit.residual.mean() < 0.04 * fit.placement.scale


@pytest.mark.parametrize("cloud", [False, True])
def test_matches_are_found_whatever_the_order_the_units_and_the_way_up(matcher, cloud):
    source, place = shape_of(0, scale=1000.0, order=True, cloud=cloud)
    target, there = shape_of(1, scale=0.01, order=True, cloud=cloud)
    fits = matcher.fit(source), matcher.fit(target)
    found = matcher.match(*fits, target)
    assert found.indices.dtype == np.int64 and len(found.indices) == len(source.points)
    assert np.array_equal(found.points, target.points[found.indices])
    off = np.linalg.norm(found.points[place] - target.points[there], axis=1)
    assert off.mean() < 0.09 * fits[1].placement.scale
    assert found.residual.mean() < 0.1 * fits[1].placement.scale


def test_equal_shapes_give_equal_fits_and_progress_ends_at_one(matcher):
    shape, _ = shape_of(0)
    told = []
    first = matcher.fit(shape, lambda part, what: told.append((part, what)))
    assert np.array_equal(first.points, matcher.fit(shape).points)
    parts = [part for part, _ in told]
    assert parts == sorted(parts) and parts[-1] == 1.0 and len(parts) > 20
    assert {what for _, what in told} == {"turning", "fitting"}


def test_more_is_left_over_without_regression_and_without_non_rigid_steps(network, matcher):
    shape, _ = shape_of(1)
    rigid = replace(FAST, stiffness=())
    alone, fitted = (Matcher(network, one).fit(shape) for one in (replace(rigid, steps=0), rigid))
    assert alone.residual.mean() > 1.5 * fitted.residual.mean()
    assert matcher.fit(shape).residual.mean() < fitted.residual.mean()


def test_bundles_that_do_not_run_are_refused(tmp_path):
    with pytest.raises(BundleError, match="there is no model shapes_mug"):
        DeformationNetwork.open("mug", tmp_path)
    bundle = write_bending_bundle(tmp_path)
    files = {name: bundle.read(name) for name in bundle.NEEDED}
    longer = bundle.manifest.model_copy(update={"latent": 7})
    with pytest.raises(EngineError, match=r"it gives \(5,\), not 7 numbers\): export the bundle again"):
        DeformationNetwork(bundle.replace(bundle.path, longer, files, ""))
    swapped = files | {"encoder.onnx": files["decoder.onnx"]}
    with pytest.raises(EngineError, match="it takes"):
        DeformationNetwork(bundle.replace(bundle.path, bundle.manifest, swapped, ""))
    with pytest.raises(EngineError, match="cannot be run"):
        DeformationNetwork(bundle.replace(bundle.path, bundle.manifest, files | {"encoder.onnx": b"none"}, ""))
