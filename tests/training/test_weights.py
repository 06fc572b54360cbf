"""Trained weights, and networks that begin with those of others."""

import os

import pytest
import torch

from perception.errors import BlockworldError
from training.localization.bins import BinNetwork
from training.localization.model import HeatmapNetwork
from training.localization.weights import begin_with, load_weights, save_weights

IMAGES = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def network(channels: int, head: int = 8) -> HeatmapNetwork:
    return HeatmapNetwork(channels, (8, 16), (1, 1), 8, head).eval()


def test_heat_maps_of_the_same_names_begin_as_they_were(tmp_path):
    before, after = network(3), network(4)
    fresh = [value.clone() for value in after(IMAGES)]
    save_weights(tmp_path / "weights.pt", before, ["hand", "clamp", "block"])
    begin_with(tmp_path / "weights.pt", after, ["clamp", "nose", "block", "tips"])
    old, new = before(IMAGES), after(IMAGES)
    for part in range(2):
        torch.testing.assert_close(new[part][:, 0], old[part][:, 1])
        torch.testing.assert_close(new[part][:, 2], old[part][:, 2])
        assert not torch.allclose(new[part][:, 1], old[part][:, 0])
        assert not torch.allclose(new[part], fresh[part])


def test_layers_of_another_shape_begin_at_random(tmp_path):
    before, after = network(2), network(2, head=16)
    save_weights(tmp_path / "weights.pt", before, ["hand", "clamp"])
    begin_with(tmp_path / "weights.pt", after, ["hand", "clamp"])
    torch.testing.assert_close(after.trunk.stem[0].weight, before.trunk.stem[0].weight)
    assert after(IMAGES)[0].shape == (1, 2, 16, 16)


def test_bins_begin_with_heat_maps_and_their_decoder(tmp_path):
    dense = network(2)
    save_weights(tmp_path / "weights.pt", dense, ["hand", "clamp"])
    bins = BinNetwork((5, 6), network(2), 16, 1).eval()
    begin_with(tmp_path / "weights.pt", bins, ["clamp", "hand"])
    for mine, theirs in zip(bins(IMAGES, dense=True)[1], dense(IMAGES), strict=True):
        torch.testing.assert_close(mine, theirs[:, [1, 0]])


def test_what_was_saved_is_given_back(tmp_path):
    before, after = network(2), network(2)
    assert not load_weights(tmp_path / "weights.pt", after)
    save_weights(tmp_path / "weights.pt", before, ["hand", "clamp"])
    assert load_weights(tmp_path / "weights.pt", after)
    torch.testing.assert_close(after(IMAGES)[0], before(IMAGES)[0])


class Payload:
    """Runs a command when it is unpickled."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def damaged(path):
    """Files that are not what was saved at the path."""
    content = path.read_bytes()
    torch.save({"network": Payload(f"touch {path.parent / 'ran'}")}, path.parent / "hostile.pt")
    torch.save([1, 2], path.parent / "list.pt")
    return {
        "empty": b"",
        "cut off": content[: len(content) // 2],
        "text": b"weights",
        "code": (path.parent / "hostile.pt").read_bytes(),
        "a list": (path.parent / "list.pt").read_bytes(),
    }


@pytest.mark.fault("weights that are damaged or contain code", "refused in one sentence; no code runs")
@pytest.mark.parametrize("kind", ["empty", "cut off", "text", "code", "a list"])
def test_weights_that_are_damaged_or_code_are_refused_and_not_run(tmp_path, kind):
    path = tmp_path / "weights.pt"
    save_weights(path, network(2), ["hand", "clamp"])
    path.write_bytes(damaged(path)[kind])
    for use in (lambda: load_weights(path, network(2)), lambda: begin_with(path, network(2), ["hand", "clamp"])):
        with pytest.raises(BlockworldError, match="is damaged, or holds more than numbers and text") as error:
            use()
        assert "\n" not in str(error.value)
    assert not (tmp_path / "ran").exists()


def test_weights_of_another_network_are_refused(tmp_path):
    save_weights(tmp_path / "weights.pt", network(2), ["hand", "clamp"])
    with pytest.raises(BlockworldError, match="has the weights of another network") as error:
        load_weights(tmp_path / "weights.pt", network(3))
    assert "\n" not in str(error.value)


def test_without_the_other_recipes_weights_there_is_a_sentence(tmp_path):
    with pytest.raises(BlockworldError, match="train that recipe first or give warm_start=null"):
        begin_with(tmp_path / "weights.pt", network(1), ["clamp"])
