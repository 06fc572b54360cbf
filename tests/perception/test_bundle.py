"""Bundles on disk: written whole, checked on reading, refused in one sentence."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from fixtures_bundle import manifest, write_marker_bundles
from pydantic import ValidationError

import perception
from perception.bundle import Bundle, Manifest, default_models_dir, list_bundles
from perception.errors import BundleError
from perception.localize import Localizer


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return write_marker_bundles(tmp_path_factory.mktemp("models"))


@pytest.fixture
def coarse(tmp_path):
    return Bundle.write(tmp_path / "coarse", manifest("coarse"), b"network", "# Card\n").path


def edit(folder, **changes):
    path = folder / "manifest.yaml"
    content = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**content, **changes}))


def refusal(folder):
    with pytest.raises(BundleError) as error:
        Bundle.load(folder)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_bundle_comes_back_as_it_was_written(coarse):
    read = Bundle.load(coarse)
    assert read.manifest.model_copy(update={"sha256": {}}) == manifest("coarse")
    assert read.model_path().read_bytes() == b"network"
    assert (coarse / "card.md").read_text() == "# Card\n"


def test_writing_again_replaces_everything_and_leaves_no_scratch(coarse):
    (coarse / "old.txt").write_text("left over")
    Bundle.write(coarse, manifest("coarse"), b"another network", "# Card 2\n")
    assert Bundle.load(coarse).model_path().read_bytes() == b"another network"
    assert sorted(path.name for path in coarse.iterdir()) == ["card.md", "manifest.yaml", "model.onnx"]
    assert [path.name for path in coarse.parent.iterdir()] == ["coarse"]


def test_a_network_in_8_bits_goes_with_the_bundle(tmp_path):
    text = (Path(perception.__file__).parent / "robots" / "panda.yaml").read_text(encoding="utf-8")
    both = Bundle.write(tmp_path / "coarse", manifest("coarse"), b"network", "# Card\n", text, b"small")
    assert both.precisions == ("fp32", "int8") and both.model_path("int8").read_bytes() == b"small"
    other = both.described_as(both.manifest.model_copy(update={"version": "9.9"}))
    assert Bundle.load(other.path).manifest == other.manifest and other.manifest.version == "9.9"
    assert other.precisions == ("fp32", "int8") and other.robot().name == "panda"
    assert other.manifest.sha256 == both.manifest.sha256 and other.size > len(text)
    (other.path / "model.int8.onnx").write_bytes(b"smell")
    assert "model.int8.onnx has sha256" in refusal(other.path)


def test_bundles_are_listed_by_name_whether_sound_or_not(sound):
    assert list_bundles(sound) == ["coarse", "fine", "tool"]


def test_a_missing_model_is_refused_with_those_present(sound):
    assert "no model cross in" in refusal(sound / "cross")
    assert "present: coarse, fine, tool" in refusal(sound / "cross")


def test_a_wrong_checksum_is_refused(coarse):
    (coarse / "model.onnx").write_bytes(b"other bytes")
    assert "the file is damaged or from another export" in refusal(coarse)


def test_a_missing_network_or_manifest_is_refused(coarse):
    (coarse / "model.onnx").unlink()
    assert "model.onnx is missing" in refusal(coarse)
    (coarse / "manifest.yaml").unlink()
    assert "manifest.yaml is missing" in refusal(coarse)


@pytest.mark.parametrize("version", [0, 1, 3, None, "2"])
def test_an_unknown_manifest_version_is_refused_before_anything_else(coarse, version):
    edit(coarse, manifest_version=version, unknown_field=1)
    assert f"has manifest version {version}, but this software reads version 2" in refusal(coarse)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"task": "localization.sideways"}, "wrong at task"),
        ({"surprise": 1}, "wrong at surprise"),
        ({"frame": "clamp"}, "has frame base, not clamp"),
        ({"crop": {"side_m": 0.4}}, "crop belongs to the tasks localization.fine"),
        ({"bins": {"u": {"count": 50}, "v": {"count": 50}}}, "cannot have bins of u, v"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused_with_the_place(coarse, changes, place):
    edit(coarse, **changes)
    assert place in refusal(coarse)


def test_a_manifest_that_is_no_yaml_is_refused(coarse):
    (coarse / "manifest.yaml").write_text("{")
    assert "manifest.yaml cannot be read" in refusal(coarse)


@pytest.mark.parametrize(
    ("channel", "changes", "sentence"),
    [
        (0, {"points": ()}, "channel clamp of kind robot needs one or two points"),
        (0, {"parts": ((0.0, 0.0, 0.0),)}, "channel clamp of kind robot needs one or two points"),
        (3, {"parts": ()}, "channel block_centre of kind block needs one or two parts"),
        (3, {"parts": ((0.0, 0.0, 0.0),) * 3}, "at most 2 items"),
        (3, {"noise": {"scale": 0.0}}, "greater than 0"),
    ],
)
def test_channels_have_one_or_two_places_of_their_kind(channel, changes, sentence):
    content = manifest("fine").model_dump()
    content["output"]["channels"][channel].update(changes)
    with pytest.raises(ValidationError, match=sentence):
        Manifest.model_validate(content)


def test_a_network_of_the_block_needs_its_channels():
    content = manifest("coarse").model_dump()
    content["output"]["channels"] = manifest("tool").model_dump()["output"]["channels"]
    with pytest.raises(ValidationError, match="needs the channels block_centre, block_top"):
        Manifest.model_validate(content)


def test_yaw_bins_fill_half_a_turn_and_xy_bins_are_centred():
    bins = manifest("coarse").bins
    np.testing.assert_allclose(bins.yaw.centres()[[0, -1]], np.deg2rad([2.5, 177.5]))
    np.testing.assert_allclose(bins.x.centres()[[0, -1]], [0.45 - 0.5025, 0.45 + 0.5025])
    content = manifest("coarse").model_dump()
    content["bins"]["yaw"]["count"] = 35
    with pytest.raises(ValidationError, match="do not fill the period"):
        Manifest.model_validate(content)


def test_the_models_folder_is_named_by_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("BLOCKWORLD_MODELS", str(tmp_path))
    assert default_models_dir() == tmp_path
    monkeypatch.setenv("BLOCKWORLD_MODELS", str(tmp_path / "nowhere"))
    with pytest.raises(BundleError, match="nowhere does not exist"):
        default_models_dir()


def test_a_bundle_of_a_robot_of_ones_own_holds_its_chain(tmp_path):
    text = (Path(perception.__file__).parent / "robots" / "panda.yaml").read_text(encoding="utf-8")
    own = manifest("coarse").model_copy(update={"robot": "my_arm"})
    chain = text.replace("name: panda\n", "name: my_arm\n")
    bundle = Bundle.write(tmp_path / "coarse", own, b"network", "# Card\n", chain)
    assert Bundle.load(bundle.path).robot().name == "my_arm"
    (bundle.path / "robot.yaml").write_text(text)
    assert "robot.yaml has sha256" in refusal(bundle.path)


def test_a_bundle_whose_robot_is_not_here_is_refused(tmp_path):
    other = manifest("coarse").model_copy(update={"robot": "ur5"})
    bundle = Bundle.write(tmp_path / "coarse", other, b"network", "# Card\n")
    with pytest.raises(BundleError, match="for a robot that cannot be loaded: there is no robot named 'ur5'"):
        bundle.robot()
    other = manifest("coarse").model_copy(update={"robot": "xarm6"})
    bundle = Bundle.write(tmp_path / "coarse", other, b"network", "# Card\n")
    with pytest.raises(BundleError, match=r"has points on the link panda_.*, which xarm6 lacks"):
        bundle.robot()


def test_networks_of_different_robots_do_not_make_a_localizer(tmp_path):
    write_marker_bundles(tmp_path)
    edit(tmp_path / "fine", robot="xarm6")
    with pytest.raises(BundleError, match=r"are for different robots .*fine xarm6"):
        Localizer.open(tmp_path)
