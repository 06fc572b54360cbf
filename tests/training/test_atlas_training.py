"""A few steps of every kind of network for atlases, from shapes to bundles that the runtime runs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from fixtures_atlas import for_pictures, small_config

from perception.configuration import read_configuration
from perception.errors import BlockworldError
from perception.shapes.atlas.bundle import STRUCTURES, AtlasBundle
from perception.shapes.atlas.network import AtlasNetwork
from training.recipes import RECIPES
from training.shapes.atlas import train as training_module
from training.shapes.atlas.config import AtlasConfig
from training.shapes.atlas.decoders import ChartDecoder
from training.shapes.atlas.export import export, write_bundle
from training.shapes.atlas.model import AtlasModel
from training.shapes.atlas.sampling import batch_of, regular_charts, varied
from training.shapes.atlas.stack import Stack
from training.shapes.atlas.surface_set import SurfaceSet
from training.shapes.atlas.train import train

EXPORTED = [
    ("points_normals", "cloud"), ("squares", "cloud"), ("translation", "cloud"), ("deformation", "cloud"),
    ("squares", "picture"),
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("surfaces")


def config_of(folder, out, structure="squares", taken="cloud", **changes):
    changes |= {"structure": structure}
    if structure == "sphere":
        changes |= {"charts": 1}
    if structure == "deformation":
        changes |= {"dimension": 10}
    return small_config(folder, out, **(for_pictures(folder) if taken == "picture" else {}) | changes)


@pytest.mark.parametrize("structure, taken", EXPORTED)
def test_exported_networks_compute_what_was_trained(folder, tmp_path, structure, taken):
    config = config_of(folder, tmp_path, structure, taken)
    torch.manual_seed(0)
    model = AtlasModel(config).eval()
    bundle = write_bundle(model, config, tmp_path / "atlas_test", "blockworld train atlas-ae")
    network = AtlasNetwork(AtlasBundle.load(bundle.path))
    rng = np.random.default_rng(0)
    seen = rng.integers(0, 256, (3, 64, 64, 3), dtype=np.uint8) if taken == "picture" else rng.normal(size=(3, 90, 3))
    latent = network.encode_pictures(seen) if taken == "picture" else network.encode_clouds(seen)
    with torch.no_grad():
        expected = model.encoder(torch.from_numpy(seen) if taken == "picture" else torch.from_numpy(seen).float())
        np.testing.assert_allclose(latent, expected, atol=0.01 * float(expected.std()))
        grid = network.grid(400)
        charts = None if grid is None else torch.from_numpy(grid.points).float().expand(network.manifest.charts, -1, -1)
        if structure == "translation":
            charts = regular_charts(config)
        points = model.decoder(expected, charts)[..., :3]
    found = network.decode(latent, grid)
    assert found.shape[:2] == (3, network.manifest.charts)
    np.testing.assert_allclose(found.reshape(3, -1, 3), points, atol=0.02)
    if structure == "points_normals":
        assert network.normals(latent).shape == found.shape


@pytest.mark.parametrize("structure", STRUCTURES)
def test_training_brings_held_out_shapes_closer(folder, tmp_path, structure):
    short = train(config_of(folder, tmp_path / "short", structure, shapes=8), progress=False)
    longer = train(config_of(folder, tmp_path / "long", structure, shapes=800), progress=False)
    assert longer["held_out_chamfer_x1000"] < 0.7 * short["held_out_chamfer_x1000"]
    assert longer["held_out_f_score"] > short["held_out_f_score"]


def test_pictures_learn_with_a_decoder_that_stays_as_it_is_at_first(folder, tmp_path):
    clouds = config_of(folder, tmp_path / "clouds", shapes=400)
    train(clouds, progress=False)
    taught = clouds.out / "weights.pt"
    frozen = config_of(folder, tmp_path / "frozen", taken="picture", decoder_of=taught, frozen_share=1.0)
    train(frozen, progress=False)
    before, after = (torch.load(one.out / "weights.pt", weights_only=True) for one in (clouds, frozen))
    own = [name for name in before if name.startswith("decoder.")]
    assert own and all(torch.equal(before[name], after[name]) for name in own)
    moving = config_of(folder, tmp_path / "moving", taken="picture", decoder_of=taught, frozen_share=0.5)
    train(moving, progress=False)
    after = torch.load(moving.out / "weights.pt", weights_only=True)
    assert not any(torch.equal(before[name], after[name]) for name in own)


def test_an_interrupted_training_ends_as_an_uninterrupted_one(folder, tmp_path, monkeypatch):
    whole = config_of(folder, tmp_path / "whole")
    train(whole, progress=False)
    broken, steps = config_of(folder, tmp_path / "broken", checkpoint_s=1e-9), 0

    def failing(*arguments):
        nonlocal steps
        steps += 1
        if steps == 3:
            raise KeyboardInterrupt
        return batch_of(*arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(training_module, "batch_of", failing)
        train(broken, progress=False)
    train(broken, progress=False)
    first, second = (torch.load(one.out / "weights.pt", weights_only=True) for one in (whole, broken))
    for name, tensor in first.items():
        torch.testing.assert_close(second[name], tensor, atol=0, rtol=0, msg=name)
    assert len(json.loads((whole.out / "log.jsonl").read_text().splitlines()[-1])) == 4


def test_checkpoints_and_decoders_of_another_architecture_are_refused(folder, tmp_path):
    train(config_of(folder, tmp_path, shapes=8), progress=False)
    with pytest.raises(BlockworldError, match=r"checkpoint\.pt is the checkpoint of another network or training: name"):
        train(config_of(folder, tmp_path, charts=2, shapes=8), progress=False)
    weights = tmp_path / "weights.pt"
    with pytest.raises(BlockworldError, match="has a decoder of another architecture: give this network its structure"):
        train(config_of(folder, tmp_path / "b", taken="picture", charts=2, decoder_of=weights), progress=False)
    with pytest.raises(BlockworldError, match="does not exist: train that network first"):
        train(config_of(folder, tmp_path / "c", taken="picture", decoder_of=tmp_path / "no.pt"), progress=False)
    with pytest.raises(BlockworldError, match=r"has no weights\.pt: train first"):
        export(config_of(folder, tmp_path / "d"), tmp_path / "models", "atlas_test", "blockworld train atlas-ae")


def test_all_charts_at_once_are_each_chart_by_itself():
    torch.manual_seed(0)
    decoder = ChartDecoder(5, 2, (16, 8), 7)
    charts, latent = torch.rand(5, 9, 2), torch.randn(3, 7)
    whole = decoder(charts, latent)
    for k in range(5):
        for b in range(3):
            for n in range(9):
                code = decoder.code.weight.view(5, 16, 7)[k] @ latent[b] + decoder.code.bias.view(5, 16)[k]
                x = torch.relu(charts[k, n] @ decoder.place[k] + code)
                x = torch.relu(x @ decoder.layers.weights[0][k] + decoder.layers.biases[0][k, 0])
                x = torch.tanh(x @ decoder.layers.weights[1][k] + decoder.layers.biases[1][k, 0])
                torch.testing.assert_close(whole[b, k, n], x, atol=1e-6, rtol=1e-5)


def test_a_stack_keeps_the_size_of_what_passes_through():
    torch.manual_seed(0)
    found = Stack(3, (256, 256, 256, 256))(torch.randn(3, 200, 256))
    assert 0.7 < float(found.std()) < 2.0


def test_shapes_that_are_varied_stay_shapes_of_the_unit_ball_with_their_normals(folder, tmp_path):
    config = config_of(folder, tmp_path, stretched=1.0, turned=True)
    rng = np.random.default_rng(0)
    ball = rng.normal(size=(2000, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    cloud, points, normals = varied(config, ball[:500], ball, ball, rng)
    np.testing.assert_array_equal(cloud, points[:500])  # both go the same way
    assert np.linalg.norm(points, axis=1).max() == pytest.approx(1, abs=1e-5)
    # A ball becomes an ellipsoid: x' A x = 1, whose normals are A x.
    square = np.linalg.lstsq(_products(points), np.ones(len(points)), rcond=None)[0]
    a = np.array([[square[0], square[3], 0], [square[3], square[1], 0], [0, 0, square[2]]])
    across = points @ a
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    np.testing.assert_allclose(normals, across, atol=0.02)
    sides = np.sqrt(1 / np.linalg.eigvalsh(a))
    assert 1.2 < sides.max() / sides.min() < np.e**2


def _products(points):
    x, y, z = points.T
    return np.stack([x * x, y * y, z * z, 2 * x * y], axis=1)


def test_a_network_learns_from_varied_shapes(folder, tmp_path):
    plain, other = (config_of(folder, tmp_path, **changes) for changes in ({}, {"stretched": 0.5, "turned": True}))
    surfaces = SurfaceSet.built(plain.data, progress=False)
    still, moved = (batch_of(config, surfaces, None, 0, 4, 0) for config in (plain, other))
    assert still.seen.shape == moved.seen.shape and still.seen.dtype == moved.seen.dtype
    assert not torch.equal(still.target, moved.target)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"charts": 3}, "charts is 3, which does not divide the 256 points: give another number of charts"),
        ({"structure": "sphere", "charts": 2}, "a sphere is one chart: give charts=1"),
        ({"structure": "translation", "charts": 2}, "128 points for each of 2 charts are no square grid"),
        ({"points": 1200}, "is more than the 600 points of the data's shapes"),
        ({"input": "picture"}, "takes pictures and validation_pictures: give both"),
        ({"left_out": ("mug",), **for_pictures(Path("pictures"))}, "left_out is for clouds"),
        ({"stretched": 0.5, **for_pictures(Path("pictures"))}, "stretched is for clouds"),
    ],
)
def test_configurations_that_cannot_be_are_refused(folder, tmp_path, changes, words):
    with pytest.raises(ValueError, match="Value error") as error:
        small_config(folder, tmp_path, **changes)
    assert words in str(error.value)


@pytest.mark.parametrize("name", [name for name in RECIPES if name.startswith("atlas-")])
def test_every_recipe_is_one_that_can_be(name):
    config = read_configuration(AtlasConfig, RECIPES[name].config, ())
    parameters = sum(one.numel() for one in AtlasModel(config).parameters())
    assert 2 * parameters < 15 * 2**20, "in half precision it would be larger than 15 MB"
    assert f"blockworld train {name}" in RECIPES[name].config.read_text()
