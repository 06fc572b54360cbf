"""A bundle so small that a thousand are soon run, what is done to its files, and what it says then."""

import hashlib
import time
from pathlib import Path

import fixtures_bundle
import pytest
import yaml
from fixtures_bundle import CLAMP, OVERVIEW, manifest, marker_network
from mutated_bundles import outcome

from perception.bundle import Bundle

SMALL_CHAIN = """
name: panda
base: panda_link0
gripper: {joints: [finger], closed: 0, open: 0.04, tips: [[clamp, [0, 0, 0]], [moved, [0, 0, 0]]]}
joints:
  - {name: turn, type: revolute, parent: panda_link0, child: panda_link2, xyz: [0, 0, 1], rpy: [0, 0, 0], upper: 1}
  - {name: hand, type: fixed, parent: panda_link2, child: clamp, xyz: [0, 0, 1], rpy: [0, 0, 0]}
  - {name: finger, type: prismatic, parent: clamp, child: moved, xyz: [0, 0, 0], rpy: [0, 0, 0], upper: 0.04}
"""
WIDTH, HEIGHT = 32, 24


def write_small(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """The marker network of the tool for small images, with every file that a bundle can have."""
    monkeypatch.setitem(fixtures_bundle.SIZES, "tool", (WIDTH, HEIGHT))
    monkeypatch.setitem(fixtures_bundle.CHANNELS, "tool", (*OVERVIEW[:2], CLAMP))
    network = marker_network("tool")
    return Bundle.write(folder / "tool", manifest("tool"), network, "# Card\n", SMALL_CHAIN, network)


def with_file(bundle: Bundle, name: str, content: bytes) -> Bundle:
    """The bundle with another file, to which its manifest's checksum is made to fit."""
    (bundle.path / name).write_bytes(content)
    sums = {**bundle.manifest.sha256, name: hashlib.sha256(content).hexdigest()}
    return with_manifest(bundle, sha256=sums)


class Plain(yaml.SafeDumper):
    """Writes out what is there twice, as nothing else is read."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def with_manifest(bundle: Bundle, **changes: object) -> Bundle:
    """The bundle with these fields of its manifest changed, whatever its own checks say to that."""
    text = yaml.dump(bundle.manifest.model_dump(mode="json") | changes, Dumper=Plain)
    (bundle.path / "manifest.yaml").write_text(text)
    return bundle


def refusal(bundle: Bundle) -> str:
    """What opening and running it says: one sentence, in little time."""
    begin = time.monotonic()
    told = outcome(bundle.path)
    assert told.startswith("refused: "), told
    assert time.monotonic() - begin < 5.0
    return told.removeprefix("refused: ")
