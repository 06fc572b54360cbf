"""Seven grids of unit vectors, the same from ONNX Runtime as from torch."""

import numpy as np
import pytest
import torch
from fixtures_art import scan

from perception.errors import EngineError
from training.art.backbone import to_onnx
from training.art.extractor import Extractor, pyramid
from training.art.features import SCALES, grid_shape
from training.art.network import Network
from training.art.pictures import Picture


def picture(width, height):
    return Picture((width, height), np.asarray(scan(3, 480, 320).resize((width, height))))


@pytest.mark.parametrize(
    ("size", "shapes"),
    [
        ((500, 500), [(80, 80), (74, 74), (68, 68), (60, 60), (49, 49), (36, 36), (20, 20)]),
        ((800, 450), [(45, 80), (42, 74), (38, 68), (34, 60), (28, 49), (20, 36), (11, 20)]),
        ((1, 1000), [(80, 1), (74, 1), (68, 1), (60, 1), (49, 1), (36, 1), (20, 1)]),
    ],
)
def test_the_longest_side_has_the_cells_of_its_scale(size, shapes):
    assert [grid_shape(size, scale) for scale in SCALES] == shapes


@pytest.mark.parametrize("size", [(400, 40), (40, 400), (1, 30)])
def test_grids_are_unit_vectors_in_half_precision(extractor, size):
    features = extractor.features(picture(*size))
    assert features.size == size
    assert [grid.shape for grid in features.grids] == [(*grid_shape(size, scale), 256) for scale in SCALES]
    for grid in features.grids:
        assert grid.dtype == np.float16
        np.testing.assert_allclose(np.linalg.norm(grid.astype(np.float32), axis=2), 1.0, atol=2e-3)


def test_onnx_runtime_gives_what_torch_gives_to_half_precision(backbone, extractor):
    given = picture(300, 60)
    for grid, image in zip(extractor.features(given).grids, pyramid(given, backbone.stride), strict=True):
        with torch.no_grad():
            wanted = backbone(torch.from_numpy(np.ascontiguousarray(image))[None])[0]
        np.testing.assert_allclose(grid, wanted, atol=2**-11, rtol=2**-10)


def test_bfloat16_turns_a_vector_by_a_few_degrees_at_most(backbone, extractor):
    pytest.importorskip("openvino", reason="openvino is not installed")
    try:
        fast = Extractor(Network(to_onnx(backbone), "openvino-bf16"), "random", backbone.stride)
    except EngineError as error:
        pytest.skip(str(error))
    given = picture(300, 60)
    for exact, grid in zip(extractor.features(given).grids, fast.features(given).grids, strict=True):
        cosines = (exact.astype(np.float32) * grid.astype(np.float32)).sum(axis=2)
        assert cosines.min() > np.cos(np.radians(8)) and cosines.mean() > np.cos(np.radians(3))


def test_what_makes_other_features_has_another_key(network):
    assert Extractor(network, "a", 16).key == Extractor(network, "a", 16).key != Extractor(network, "b", 16).key


@pytest.mark.parametrize("engine", ["onnxruntime-cpu", "openvino-bf16"])
def test_a_damaged_network_is_told(engine):
    with pytest.raises(EngineError):
        Network(b"no network", engine)


class Corners(torch.nn.Module):
    """A backbone of stride 8: the colours of every eighth pixel, as unit vectors."""

    stride = 8

    def forward(self, images):
        return torch.nn.functional.normalize(images[:, ::8, ::8].float() + 1.0, dim=3)


def test_any_backbone_with_a_stride_can_make_features():
    given = picture(300, 60)
    grids = Extractor(Network(to_onnx(Corners()), "onnxruntime-cpu"), "corners", 8).features(given).grids
    assert [grid.shape for grid in grids] == [(*grid_shape(given.size, scale), 3) for scale in SCALES]
    coloured = given.rgb[30, 150] + 1.0
    middle = grids[0][grids[0].shape[0] // 2, 40]
    assert middle @ coloured / np.linalg.norm(coloured) > 0.99


def test_another_stride_than_it_has_is_told(network):
    with pytest.raises(EngineError, match="see to its stride"):
        Extractor(network, "weights", 8).features(picture(300, 60))
