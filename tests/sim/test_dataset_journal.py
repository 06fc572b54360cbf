"""What was written before a process died, or the disk was full, stays, and nothing else."""

import errno
import os
import subprocess
import sys
import tarfile

import pytest
from fixtures_dataset import SMALL, changed, contents
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.dataset import DiskFullError, build, present_images, samples
from sim.dataset.journal import Journal, part_of, whole_scenes
from sim.dataset.tar import DamagedError, key_of, pack

VIEWS = 2
SCENES = range(4, 7)
WRITTEN = [
    b"".join(pack(key_of(scene, view), {"png": bytes([scene, view]) * 300}, {"scene": scene}) for view in range(VIEWS))
    for scene in SCENES
]


def journal(path):
    return Journal(path, SCENES, VIEWS)


def write(path):
    log = journal(path)
    for scene, data in zip(SCENES, WRITTEN, strict=True):
        log.append(scene, data)
    log.finish()
    return path


@given(st.integers(0, sum(map(len, WRITTEN)) - 1))
@settings(max_examples=60, deadline=None)
def test_however_much_was_written_only_whole_scenes_count(length):
    content = b"".join(WRITTEN)[:length]
    scenes, kept = whole_scenes(content, SCENES.start, VIEWS)
    assert content[:kept] == b"".join(WRITTEN[:scenes])
    assert length - kept < len(WRITTEN[min(scenes, len(WRITTEN) - 1)])


@given(st.integers(0, len(WRITTEN[0]) - 1), st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_a_changed_byte_of_a_picture_is_noticed(place, change):
    content = bytearray(b"".join(WRITTEN))
    content[place] ^= change
    kept = whole_scenes(bytes(content), SCENES.start, VIEWS)[1]
    stored = [sample for sample, _ in samples(b"".join(WRITTEN[:1]))]
    if kept:  # then it was a byte that says nothing: padding, or a blank of a header's number
        assert [sample for sample, _ in samples(bytes(content[: len(WRITTEN[0])]))] == stored


@pytest.mark.parametrize("torn", [0, 1, 511, 512, 700, 1200, 2500])
def test_a_torn_shard_is_continued_to_the_same_bytes(tmp_path, torn):
    whole = write(tmp_path / "whole.tar").read_bytes()
    path = tmp_path / "torn.tar"
    part_of(path).write_bytes(b"".join(WRITTEN)[: len(WRITTEN[0]) + torn])
    log = journal(path)
    log.append(5, WRITTEN[1])
    log.append(6, WRITTEN[2])
    log.finish()
    assert path.read_bytes() == whole
    assert not part_of(path).exists()


def test_a_shard_that_only_lacks_its_name_gets_it(tmp_path):
    whole = write(tmp_path / "a.tar").read_bytes()
    path = tmp_path / "b.tar"
    part_of(path).write_bytes(whole)
    log = journal(path)
    assert log.complete
    log.finish()
    assert path.read_bytes() == whole


def test_scenes_come_once_and_in_order(tmp_path):
    log = journal(tmp_path / "a.tar")
    log.append(4, WRITTEN[0])
    for scene in (4, 6):
        with pytest.raises(ValueError, match="waits for scene 5"):
            log.append(scene, WRITTEN[0])
    log.close()
    assert part_of(tmp_path / "a.tar").read_bytes() == WRITTEN[0]


def test_other_programs_read_the_tar(tmp_path):
    path = write(tmp_path / "a.tar")
    listed = subprocess.run(["tar", "tf", path], capture_output=True, text=True, check=True).stdout.split()
    with tarfile.open(path) as tar:
        assert tar.getnames() == listed
    assert listed[:2] == ["0000004-0.png", "0000004-0.json"]


def test_an_image_without_a_record_is_damage():
    with pytest.raises(DamagedError, match="has no record"):
        list(samples(WRITTEN[0][: 512 + 1024]))


class Full:
    """os.pwrite of a disk with room for so many bytes."""

    def __init__(self, room):
        self.room, self.real = room, os.pwrite

    def __call__(self, file, data, offset):
        if self.room <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self.real(file, data[: self.room], offset)
        self.room -= written
        return written


def test_a_full_disk_is_told_in_one_sentence_and_the_build_resumed(tmp_path, monkeypatch):
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "out"
    list(build(SMALL, undisturbed))
    monkeypatch.setattr(os, "pwrite", Full(22_000))
    with pytest.raises(DiskFullError) as error:
        list(build(SMALL, out))
    monkeypatch.undo()
    present = present_images(SMALL, out)
    assert 0 < present < 10
    sentence = str(error.value)
    assert f"the {10 - present} images that are missing take about" in sentence
    assert f"the {present} images written stay valid" in sentence
    assert "run the same command to go on" in sentence
    assert sum(build(SMALL, out)) == 10 - present
    assert contents(out) == contents(undisturbed)


def test_a_disk_without_any_room_is_told_too(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "pwrite", Full(100))
    with pytest.raises(DiskFullError, match="the 10 images that are missing need room; the 0 images written"):
        list(build(SMALL, tmp_path))


ON_A_SMALL_DISK = """
import sys
from pathlib import Path
from fixtures_dataset import changed
from sim.dataset import DiskFullError, build, present_images
config, out = changed(scenes=12), Path(sys.argv[1])
try:
    list(build(config, out))
    print("no error")
except DiskFullError as error:
    print(present_images(config, out), error)
"""


def test_a_real_full_disk(tmp_path):
    mount = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    script = 'mount -t tmpfs -o size=48k none "$1" && exec "$2" -W ignore -c "$3" "$1"'
    (tmp_path / "disk").mkdir()
    if subprocess.run([*mount, 'mount -t tmpfs none "$1"', "sh", tmp_path / "disk"], capture_output=True).returncode:
        pytest.skip("this machine does not let a user mount a file system in memory")
    words = [*mount, script, "sh", str(tmp_path / "disk"), sys.executable, ON_A_SMALL_DISK]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=120)
    present = int(done.stdout.split()[0])
    assert 0 < present < changed(scenes=12).images
    assert f"the {present} images written stay valid" in done.stdout
