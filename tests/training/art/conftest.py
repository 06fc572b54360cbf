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
def network_file(backbone):
    return to_onnx(backbone)


@pytest.fixture(scope="session")
def network(network_file):
    return Network(network_file, "onnxruntime-cpu")


@pytest.fixture(scope="session")
def extractor(backbone, network):
    return Extractor(network, digest(backbone), backbone.stride)
