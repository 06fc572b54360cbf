"""One backbone for all tests of art, and its ONNX file, which takes seconds to make."""

import pytest
from fixtures_art import random_backbone

from training.art.backbone import digest, to_onnx
from training.art.extractor import Extractor
from training.art.network import Network


@pytest.fixture(scope="session")
def backbone():
    return random_backbone()


@pytest.fixture(scope="session")
def network(backbone):
    return Network(to_onnx(backbone), "onnxruntime-cpu")


@pytest.fixture(scope="session")
def extractor(backbone, network):
    return Extractor(network, digest(backbone), backbone.stride)
