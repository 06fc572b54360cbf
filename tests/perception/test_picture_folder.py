"""A folder of scans is looked through whole; what cannot be read is told, and what is there twice."""

import os

import pytest
from fixtures_art import scan

from perception.errors import BlockworldError
from perception.picture_folder import Duplicate, Found, Problem, picture_files, told_apart


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    for name in ("b.png", "a.JPG", "deep/c.tif", "deep/deeper/d.webp"):
        scan(len(name)).save(tmp_path / name)
    for name in ("notes.txt", ".hidden.jpg", "deep/Thumbs.db"):
        (tmp_path / name).write_bytes(b"no picture")
    return tmp_path


def test_pictures_are_found_in_the_order_of_their_names(folder):
    files, problems = picture_files(folder)
    assert [str(path.relative_to(folder)) for path in files] == ["a.JPG", "b.png", "deep/c.tif", "deep/deeper/d.webp"]
    assert problems == []


def refuse(monkeypatch, folder, name):
    """As if the user had no right to look into the folder of that name."""
    scandir = os.scandir

    def guarded(path):
        if os.path.basename(path) == name:  # noqa: PTH119 - bytes, strings and paths alike
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)


def test_a_folder_that_cannot_be_read_is_a_problem_and_the_others_are_read(folder, monkeypatch):
    refuse(monkeypatch, folder, "deeper")
    files, problems = picture_files(folder)
    assert len(files) == 3
    assert [one.path.name for one in problems] == ["deeper"]
    assert "cannot be read (Permission denied): see to its permissions." in problems[0].sentence


def test_without_the_folder_itself_there_is_nothing_to_do(folder, monkeypatch):
    refuse(monkeypatch, folder, folder.name)
    with pytest.raises(BlockworldError, match=r"cannot be read .Permission denied.: name one that can be"):
        picture_files(folder)


def test_links_to_folders_are_not_followed(folder):
    (folder / "deep" / "round").symlink_to(folder)
    assert len(picture_files(folder)[0]) == 4


def test_the_same_bytes_count_once(folder):
    scan(5).save(folder / "z.png")  # as b.png, whose name has as many letters
    (folder / "broken.jpg").symlink_to(folder / "nowhere.jpg")
    (folder / "empty.jpg").touch()
    kinds = {one.path.name: one for one in told_apart(picture_files(folder)[0])}
    assert kinds["z.png"] == Duplicate(folder / "z.png", folder / "b.png")
    assert isinstance(kinds["b.png"], Found) and isinstance(kinds["broken.jpg"], Problem)
    assert "is empty" in kinds["empty.jpg"].sentence
