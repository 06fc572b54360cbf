"""Files are read once, and again as soon as anything about them may have changed."""

import os
import time

import pytest

from perception import file_digests
from perception.errors import ImageError
from perception.file_digests import FOLDER, RACY_NS, FileDigests
from perception.picture_folder import content_digest


@pytest.fixture
def scans(tmp_path):
    """Three files that were left alone for long enough, as far as the clock of the test says."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in "abc":
        (folder / name).write_bytes(name.encode() * 100)
    return folder


@pytest.fixture
def later(monkeypatch):
    """It is some seconds later than it is."""
    clock = time.time_ns
    monkeypatch.setattr(file_digests.time, "time_ns", lambda: clock() + 2 * RACY_NS)


@pytest.fixture
def read(monkeypatch):
    """The names of files that were read."""
    names = []

    def digest(path):
        names.append(path.name)
        return content_digest(path)

    monkeypatch.setattr(file_digests, "content_digest", digest)
    return names


def digests(tmp_path, scans):
    """What a run makes of all files."""
    files = sorted(scans.iterdir())
    known = FileDigests(tmp_path, scans, files)
    found = {path.name: known.digest(path) for path in files}
    known.save()
    assert found == {path.name: content_digest(path) for path in files}
    return found


def test_what_did_not_change_is_not_read_again(tmp_path, scans, later, read):
    first = digests(tmp_path, scans)
    read.clear()
    assert digests(tmp_path, scans) == first and read == []


def test_a_file_that_changed_a_moment_before_is_read_again(tmp_path, scans, read):
    digests(tmp_path, scans)
    digests(tmp_path, scans)
    assert len(read) == 6


@pytest.mark.parametrize("change", ["content", "time set back", "replaced", "permissions"])
def test_any_change_is_noticed(tmp_path, scans, later, read, change):
    digests(tmp_path, scans)
    read.clear()
    path = scans / "b"
    before = path.stat()
    if change == "permissions":
        path.chmod(0o600)
    elif change == "replaced":
        (tmp_path / "new").write_bytes(b"n" * 100)
        os.utime(tmp_path / "new", ns=(before.st_atime_ns, before.st_mtime_ns))
        (tmp_path / "new").replace(path)
    else:
        path.write_bytes(b"x" * 100)  # of the same size
        if change == "time set back":
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    digests(tmp_path, scans)
    assert read == ["b"]


def test_a_file_that_is_gone_is_forgotten_and_told(tmp_path, scans, later):
    digests(tmp_path, scans)
    known = FileDigests(tmp_path, scans, list(scans.iterdir()))
    (scans / "b").unlink()
    with pytest.raises(ImageError, match="cannot be read"):
        known.digest(scans / "b")
    digests(tmp_path, scans)
    (table,) = (tmp_path / FOLDER).iterdir()
    assert b"scans/a" in table.read_bytes() and b"scans/b" not in table.read_bytes()


@pytest.mark.parametrize("damage", ["cut", "changed", "empty"])
def test_a_damaged_table_counts_as_an_empty_one(tmp_path, scans, later, read, damage):
    digests(tmp_path, scans)
    (table,) = (tmp_path / FOLDER).iterdir()
    content = table.read_bytes()
    damaged = {"cut": content[:-5], "changed": content.replace(b"scans/a", b"scans/z"), "empty": b""}[damage]
    assert damaged != content
    table.write_bytes(damaged)
    read.clear()
    digests(tmp_path, scans)
    assert read == ["a", "b", "c"]


def test_folders_have_tables_of_their_own(tmp_path, scans, later, read):
    other = tmp_path / "other"
    other.mkdir()
    (other / "d").write_bytes(b"d")
    for _ in range(2):
        for folder in (scans, other):
            digests(tmp_path, folder)
    assert read == ["a", "b", "c", "d"]
