"""The networks for atlases that come with the models, on shapes and views that they were not trained on."""

import numpy as np
import pytest

from perception.bundle_folder import default_models_dir
from perception.shapes.atlas.network import AtlasNetwork
from perception.shapes.atlas.reconstruction import encode_cloud, reconstruct
from perception.shapes.shape import Shape
from training.shapes.atlas.metrics import POINTS, chamfer_and_f_score
from training.shapes.atlas.picture_set import PictureSetConfig, rendered
from training.shapes.atlas.surface_set import CATEGORIES, SurfaceSetConfig, surface_of

SEED = 99
CLOUDS, PICTURES = [
    sorted(path.name for path in default_models_dir().glob("atlas_*") if is_for_pictures == ("svr" in path.name))
    for is_for_pictures in (False, True)
]
CONFIG = SurfaceSetConfig(folder="runs", points=2 * POINTS, seed=SEED)


@pytest.fixture(scope="module")
def shapes():
    """Points (5000, 3) in the unit ball, of one shape of each category."""
    return {f"{one}/{SEED}/0": surface_of(f"{one}/{SEED}/0", CONFIG)[0] for one in CATEGORIES}


def test_there_are_networks_for_clouds_and_pictures():
    assert "atlas_ae" in CLOUDS and "atlas_svr" in PICTURES


@pytest.mark.parametrize("name", CLOUDS)
def test_held_out_shapes_are_reconstructed_from_their_points(shapes, name):
    network = AtlasNetwork.open(name)
    figures = []
    for points in shapes.values():
        latent = network.encode_clouds(points[None, : network.manifest.size])[0]
        figures.append(chamfer_and_f_score(reconstruct(network, latent, POINTS).points, points[POINTS:]))
    distance, score = np.mean(figures, axis=0)
    assert distance < 4.0 and score > 0.5


def test_a_cloud_is_reconstructed_wherever_it_faces(shapes):
    network = AtlasNetwork.open("atlas_ae")
    points = shapes[f"plane/{SEED}/0"]
    cos, sin = np.cos(1.3), np.sin(1.3)
    turned = 20 * points @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]]) + 5
    found = encode_cloud(network, Shape(turned))
    made = reconstruct(network, found.latent, POINTS, found.placement).points
    assert chamfer_and_f_score((made - 5) / 20, (turned - 5) / 20)[0] < 8.0


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("drawing", [False, True], ids=["picture", "drawing"])
def test_held_out_views_are_reconstructed(shapes, name, drawing):
    network = AtlasNetwork.open(name)
    config = PictureSetConfig(folder="runs", size_px=network.manifest.size, seed=SEED)
    views = rendered(config, [(f"shape/{one}", number) for number, one in enumerate(shapes)])
    seen = np.repeat(views[..., 3:], 3, axis=3) if drawing else views[..., :3]
    latents = network.encode_pictures(seen)
    found = [reconstruct(network, latent, POINTS).points for latent in latents]
    own = [chamfer_and_f_score(one, truth)[0] for one, truth in zip(found, shapes.values(), strict=True)]
    others = [chamfer_and_f_score(one, truth)[0] for one, truth in zip(found, [*shapes.values()][1:], strict=False)]
    assert np.median(own) < 20 and np.median(own) < 0.5 * np.median(others)
