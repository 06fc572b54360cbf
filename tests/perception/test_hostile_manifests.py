"""Text and files of bundles, corrupt, too large or made up to do harm: one sentence, and nothing else happens."""

import os
import time
from pathlib import Path

import pytest
from fixtures_bundle import manifest, marker_network
from hostile_bundles import SMALL_CHAIN, refusal, with_file, with_manifest, write_small
from mutated_bundles import outcome

import perception
from perception.bundle import MOST_MODEL_BYTES, Bundle
from perception.engines import open_engine
from perception.errors import BundleError, RobotError
from perception.robot import Robot
from perception.small_yaml import MOST_BYTES, parse_yaml

CHAIN = (Path(perception.__file__).parent / "robots" / "panda.yaml").read_text(encoding="utf-8")
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    return write_small(tmp_path, monkeypatch)


@pytest.mark.fault("YAML that grows, recurses or would run code", "refused in one sentence")
@pytest.mark.parametrize("name", ["manifest.yaml", "robot.yaml"])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LAUGHS, "anchor or alias a, write out what it stands for"),
        ("a: &a [*a]\n", "anchor or alias a"),
        ("[" * 100_000, "nests them deeper than 20"),
        ("a: " * 3 + "- " * 5000, "cannot be read"),
        ("- x\n" * 30_000, "more than 20000 values"),
        ("x" * (MOST_BYTES + 1), f"{MOST_BYTES + 1} bytes, more than the {MOST_BYTES} that it may have"),
        ("a: !!python/object/apply:os.system [exit]\n", "has the tag tag:yaml.org,2002:python/object/apply:os.system"),
        ("a: " + "9" * 5000, "a number in it has 5000 digits"),
        ("a: 0x" + "f" * 200_000, "a number in it has 200002 digits"),
        ("a: 1" + ":1" * 100_000, "a number in it has 200001 digits"),
        ("a: 2024-99-99\n", "month must be in 1..12"),
        ("a: \x1b[2J\n", "unacceptable character"),
        ("? {a: b}\n: c\n", "cannot be read"),
        ("", "manifest version None"),
        ("\ufeff", "manifest version None"),
    ],
)
def test_yaml_that_grows_recurses_or_builds_things_is_refused(bundle, name, text, told):
    if name == "manifest.yaml":
        (bundle.path / name).write_text(text)
    else:
        with_file(bundle, name, text.encode())
        told = "is wrong at the chain" if "version" in told else told
    assert told in refusal(bundle)


def test_yaml_of_one_word_a_line_takes_no_quadratic_time():
    begin = time.monotonic()
    for text in (b"a: b\n" * 19_000, b"{a: " * 60_000, b"? " * 100_000, b'"' + b"\\x41" * 60_000, b"#\n" * 130_000):
        try:
            parse_yaml(text)
        except ValueError as error:
            assert str(error)
    assert time.monotonic() - begin < 8.0


def test_a_robot_of_endless_numbers_or_joints_is_refused(tmp_path):
    for old, new in (
        ("lower: -2.9671", "lower: .nan"),
        ("upper: 2.9671", "upper: 1.0e+300"),
        ("xyz: [0, 0, 0.333]", "xyz: [0, 0, .inf]"),
        ("name: panda_joint1", 'name: "\\e[2J"'),
    ):
        path, field = tmp_path / f"{len(new)}.yaml", old.partition(":")[0]
        path.write_text(CHAIN.replace(old, new, 1))
        with pytest.raises(RobotError, match=rf"is wrong at joints\.0\.{field}"):
            Robot.load(path)
    joint = "  - {{name: j{0}, type: fixed, parent: l{0}, child: l{1}, xyz: [0, 0, 0], rpy: [0, 0, 0]}}\n"
    (tmp_path / "long.yaml").write_text(CHAIN + "".join(joint.format(i, i + 1) for i in range(300)))
    with pytest.raises(RobotError, match="at most 256 items"):
        Robot.load(tmp_path / "long.yaml")


def inside(place, value):
    """Changes of the manifest that put a value at this place."""
    content = manifest("tool").model_dump(mode="json")
    first, *others = place.split(".")
    at, last = content, first
    for key in others:
        at, last = at[int(last) if last.isdigit() else last], key
    at[int(last) if last.isdigit() else last] = value
    return {first: content[first]}


@pytest.mark.fault(
    "a manifest that asks for huge sizes or names other files",
    "refused in one sentence before anything is allocated",
)
@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("input.width", 4097),
        ("input.height", 10**30),
        ("input", {"width": 4096, "height": 4096}),
        ("output.width", 1 << 40),
        ("output.sigma", float("inf")),
        ("output.sigma", float("nan")),
        ("output.sigma", 1e9),
        ("output.sigma", 1e-300),
        ("output.channels", [manifest("tool").model_dump(mode="json")["output"]["channels"][0]] * 257),
        ("output.channels.0.points.0.xyz_m.1", float("nan")),
        ("output.channels.0.points.0.xyz_m.1", 1e300),
        ("output.channels.0.name", "clamp\x1b]0;hello\n"),
        ("output.channels.0.name", "x" * 5000),
        ("bins.u.count", 5000),
        ("bins.u.count", -1),
        ("calibration.place", float("inf")),
        ("name", "../../elsewhere"),
        ("name", "a/b"),
        ("name", "nul\0"),
        ("name", ""),
        ("version", "1.0\n2.0"),
        ("robot", "/dev/zero.yaml"),
        ("robot", "../robot.yaml"),
        ("sha256", {"model.onnx": "0" * 64, "../../secret": "0" * 64}),
        ("sha256", {"/etc/passwd": "0" * 64}),
        ("sha256", {"model.onnx": "0" * 63}),
        ("training", {f"key {i}": i for i in range(1001)}),
    ],
)
def test_a_manifest_cannot_ask_for_more_than_there_is_or_name_other_files(bundle, place, value):
    assert f"is wrong at {place.partition('.')[0]}" in refusal(with_manifest(bundle, **inside(place, value)))


def test_maps_that_fit_one_by_one_but_not_together_are_refused(bundle):
    channels = manifest("tool").model_dump(mode="json")["output"]["channels"][:1] * 200
    changes = inside("output", {"kind": "heatmaps", "width": 4000, "height": 4000, "sigma": 1.0, "channels": channels})
    assert "200 maps of 4000 x 4000 have more than" in refusal(with_manifest(bundle, **changes))


def test_what_is_there_twice_is_written_out_and_read_again(bundle):
    points = bundle.manifest.output.channels[0].points
    channels = tuple(one.model_copy(update={"points": points}) for one in bundle.manifest.output.channels)
    output = bundle.manifest.output.model_copy(update={"channels": channels})
    bundle.described_as(bundle.manifest.model_copy(update={"output": output}))
    assert Bundle.load(bundle.path).manifest.output.channels == channels


def test_what_a_manifest_calls_things_cannot_write_on_the_terminal(bundle):
    told = refusal(with_manifest(bundle, **{"x\x1b[2J\ny" * 100: 1}))
    assert "is wrong at x?[2J" in told and len(told) < 600
    assert "has manifest version" in refusal(with_manifest(bundle, manifest_version="2\n" * 1000))


@pytest.mark.fault("a pipe, device or folder in the place of a model file", "refused in one sentence; never waited for")
@pytest.mark.parametrize("name", ["manifest.yaml", "model.onnx", "model.int8.onnx", "robot.yaml"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "link to itself", "dangling link", "link to a pipe"])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(bundle, name, kind):
    path = bundle.path / name
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link to a pipe":
        os.mkfifo(bundle.path.parent / "pipe")
        path.symlink_to(bundle.path.parent / "pipe")
    else:
        path.symlink_to({"device": "/dev/zero", "link to itself": name, "dangling link": "nowhere"}[kind])
    assert f"{name} " in refusal(bundle)
    assert bundle.size > 0


def test_a_link_to_the_same_bytes_is_followed(bundle):
    path = bundle.model_path()
    path.rename(bundle.path.parent / "elsewhere.onnx")
    path.symlink_to(bundle.path.parent / "elsewhere.onnx")
    assert outcome(bundle.path) == "runs"


@pytest.mark.fault("a network of many gigabytes", "refused in one sentence before it is read")
def test_a_file_larger_than_any_network_is_refused_before_it_is_read(bundle):
    with bundle.model_path().open("r+b") as file:
        file.truncate(MOST_MODEL_BYTES + 1)
    assert f"it has {MOST_MODEL_BYTES + 1} bytes, more than the {MOST_MODEL_BYTES}" in refusal(bundle)


@pytest.mark.fault("a network replaced after it was checked", "refused in one sentence")
def test_a_network_replaced_after_it_was_checked_is_refused(bundle):
    bundle.model_path().write_bytes(marker_network("tool") + b"\n")
    with pytest.raises(BundleError, match=r"model\.onnx has sha256"):
        open_engine(bundle, "onnxruntime-cpu")
    (bundle.path / "robot.yaml").write_text(SMALL_CHAIN + "\n")
    with pytest.raises(BundleError, match=r"robot\.yaml has sha256"):
        bundle.robot()
    with pytest.raises(BundleError, match="has sha256"):
        bundle.described_as(bundle.manifest)


def test_a_bundle_without_a_readable_card_keeps_what_it_has(bundle):
    (bundle.path / "card.md").unlink()
    with pytest.raises(BundleError, match=r"card\.md cannot be read"):
        bundle.described_as(bundle.manifest)
    assert outcome(bundle.path) == "runs"
