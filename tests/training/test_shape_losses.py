"""Losses and layers of template deformation against plain float64 references."""

import numpy as np
import pytest
import torch

from sim.shapes import CATEGORIES, template
from training.shapes import nearest as nearest_module
from training.shapes.losses import Regularization, chamfer, supervised
from training.shapes.model import REACH, DeformationNetwork, Encoder
from training.shapes.nearest import nearest


def brute_force(deformed: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """Chamfer distance of (B, M, 3) and (B, N, 3) and its gradient with respect to the former, by all pairs."""
    away = deformed[:, :, None] - target[:, None]
    squares = (away**2).sum(axis=3)
    there, here = squares.argmin(axis=2), squares.argmin(axis=1)
    gradient = np.zeros_like(deformed)
    for b in range(len(deformed)):
        for i, j in enumerate(there[b]):
            gradient[b, i] += 2 * away[b, i, j] / (deformed.shape[0] * deformed.shape[1])
        for j, i in enumerate(here[b]):
            gradient[b, i] += 2 * away[b, i, j] / (target.shape[0] * target.shape[1])
    return float(squares.min(axis=2).mean() + squares.min(axis=1).mean()), gradient


@pytest.mark.parametrize("sizes", [(40, 60), (300, 700), (900, 600)])
def test_chamfer_and_its_gradient_are_those_of_all_pairs(sizes):
    generator = torch.Generator().manual_seed(0)
    deformed = torch.randn(2, sizes[0], 3, generator=generator, requires_grad=True)
    target = torch.randn(2, sizes[1], 3, generator=generator)
    loss = chamfer(deformed, target)
    loss.backward()
    expected, gradient = brute_force(deformed.detach().double().numpy(), target.double().numpy())
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(deformed.grad.numpy(), gradient, atol=1e-6)


def test_matrix_products_find_the_neighbours_that_a_tree_finds_far_from_the_origin(monkeypatch):
    generator = torch.Generator().manual_seed(1)
    points, others = torch.randn(3, 800, 3, generator=generator) + 50, torch.randn(3, 700, 3, generator=generator) + 50
    by_tree = nearest(points, others)
    monkeypatch.setattr(nearest_module, "FEW", 10_000)
    monkeypatch.setattr(nearest_module, "BLOCK", 128)
    by_product = nearest(points, others)
    away = [
        (points - others.gather(1, found[..., None].expand(-1, -1, 3))).norm(dim=2) for found in (by_tree, by_product)
    ]
    torch.testing.assert_close(away[0], away[1], atol=1e-4, rtol=0)


def test_correspondences_cost_the_mean_squared_distance():
    deformed, places = torch.zeros(2, 5, 3), torch.full((2, 5, 3), 2.0)
    assert float(supervised(deformed, places)) == pytest.approx(12.0)


@pytest.mark.parametrize("category", CATEGORIES)
def test_regularization_is_nought_for_the_template_moved_and_grows_as_it_is_torn(category):
    mesh = template(category)
    vertices = mesh.vertices / mesh.vertices.std()
    own = Regularization.of(vertices, mesh.faces)
    still = torch.from_numpy(vertices).float()
    moved = still[None] + torch.tensor([1.0, -2.0, 0.5])
    assert float(own.laplacian_loss(moved, still)) == pytest.approx(0, abs=1e-9)
    assert float(own.edge_loss(moved)) == pytest.approx(0, abs=1e-2)
    torn = moved + 0.1 * torch.randn(moved.shape, generator=torch.Generator().manual_seed(0))
    assert float(own.laplacian_loss(torn, still)) > 1e-3
    assert float(own.edge_loss(torn)) > 0.1
    assert float(own.edge_loss(2 * moved)) == pytest.approx(1, abs=1e-2)


def test_the_laplacian_of_a_vertex_is_its_way_from_the_mean_of_its_neighbours():
    vertices = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1.0)])
    own = Regularization.of(vertices, np.array([(0, 1, 2), (0, 2, 3), (0, 3, 1), (1, 3, 2)]))
    dense = own.laplacian.to_dense().numpy()
    np.testing.assert_allclose(dense @ vertices, vertices - (vertices.sum(axis=0) - vertices) / 3, atol=1e-6)


def test_the_split_first_layer_is_the_layer_over_point_and_latent_vector_together():
    torch.manual_seed(0)
    network = DeformationNetwork((8, 16, 32), (64, 32, 16), 24).double()
    decoder, latent, points = network.decoder, torch.randn(3, 24).double(), torch.randn(50, 3).double()
    weight = torch.cat([decoder.place.weight, decoder.code.weight], dim=1)
    together = torch.cat([points.expand(3, -1, -1), latent[:, None].expand(-1, 50, -1)], dim=2)
    x = torch.relu(together @ weight.T + decoder.place.bias)
    for layer in decoder.hidden:
        x = torch.relu(layer(x))
    expected = REACH * torch.tanh(decoder.out(x) / REACH)
    torch.testing.assert_close(decoder(points, latent), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("count", [37, 128, 1024])
def test_the_encoder_has_the_gradient_of_a_plain_maximum(count):
    torch.manual_seed(0)
    encoder = Encoder((16, 32, 64), 24).double()
    points = torch.randn(3, count, 3).double()
    code = encoder(points)
    code.square().sum().backward()
    ours = [one.grad.clone() for one in encoder.parameters()]
    encoder.zero_grad()
    x = points
    for layer in encoder.points:
        x = torch.relu(layer(x))
    plain = encoder.out(x.amax(dim=1))
    plain.square().sum().backward()
    torch.testing.assert_close(code, plain)
    for mine, theirs in zip(ours, encoder.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs.grad)
    with torch.no_grad():
        torch.testing.assert_close(encoder(points), code)


def test_the_order_of_points_does_not_matter_to_the_encoder():
    torch.manual_seed(0)
    encoder, points = Encoder((16, 32, 64), 24), torch.randn(2, 200, 3)
    shuffled = points[:, torch.randperm(200)]
    torch.testing.assert_close(encoder(points), encoder(shuffled))
