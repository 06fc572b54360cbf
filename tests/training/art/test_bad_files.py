"""A folder with one of everything that goes wrong: each is told by its name, the others are indexed."""

import io
import os
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from fixtures_art import scan
from PIL import Image
from test_index import Counting

from perception.picture_folder import Problem, picture_files, told_apart
from training.art.feature_store import FeatureStore
from training.art.index import index_folder
from training.art.pictures import LARGEST_SIDE_PX

NOBODY = 65534


def gigapixel_jpeg(side=32_768):
    """A grey JPEG of that many px a side, a multiple of 16, written block by block: all of the same grey."""
    file = io.BytesIO()
    Image.new("L", (8, 8), 128).save(file, "JPEG", quality=75)
    header = file.getvalue()
    frame = header.index(b"\xff\xc0")
    scan_begins = header.index(b"\xff\xda")
    length = int.from_bytes(header[scan_begins + 2 : scan_begins + 4], "big")
    sides = side.to_bytes(2, "big") * 2
    header = header[: frame + 5] + sides + header[frame + 9 : scan_begins + 2 + length]
    # A block that is as the one before it takes 00 (no difference) and 1010 (end of block): four of them are 3 bytes.
    return header + bytes.fromhex("28a28a") * (side // 8 * side // 8 // 4) + b"\xff\xd9"


def enormous_png(path):
    """A small file that claims to be of 60,000 px a side."""
    scan().save(path, "PNG")
    content = bytearray(path.read_bytes())
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    path.write_bytes(content)


@pytest.fixture
def folder(tmp_path):
    """Seven files that can be used, and nine that cannot."""
    made = tmp_path / "scans"
    made.mkdir()
    picture = scan(1, 96, 64)
    picture.save(made / "good.png")
    picture.convert("CMYK").save(made / "cmyk.jpg")
    Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257).save(made / "16_bit.tif")
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(made / "turned.jpg", exif=exif)
    picture.save(made / "animated.gif", save_all=True, append_images=[scan(2, 96, 64)])
    scan(3, 96, 64).save(made / "layers.tif", save_all=True, append_images=[picture])
    (made / "gigapixel.jpg").write_bytes(gigapixel_jpeg())
    enormous_png(made / "enormous.png")
    shutil.copy(made / "good.png", made / "same.png")
    (made / "empty.jpg").touch()
    (made / "text.jpg").write_text("no picture")
    (made / "cut.jpg").write_bytes((made / "turned.jpg").read_bytes()[:600])
    (made / "flipped.png").write_bytes(_flipped((made / "good.png").read_bytes()))
    (made / "broken.jpg").symlink_to(made / "nowhere.jpg")
    os.mkfifo(made / "pipe.jpg")
    (made / "folder.jpg").mkdir()
    return made


def _flipped(content):
    """With a bit of its pixels turned over."""
    middle = content.index(b"IDAT") + 12
    return content[:middle] + bytes([content[middle] ^ 0x10]) + content[middle + 1 :]


def test_each_is_told_and_the_others_are_indexed(folder, tmp_path):
    store = FeatureStore(tmp_path / "cache", "key")
    found = index_folder(folder, store, Counting())
    sizes = {one.path.name: store[one.digest].size for one in found.pictures}
    assert sizes == {
        "good.png": (96, 64), "cmyk.jpg": (96, 64), "16_bit.tif": (96, 64), "turned.jpg": (64, 96),
        "animated.gif": (96, 64), "layers.tif": (96, 64), "gigapixel.jpg": (32_768, 32_768),
    }  # fmt: skip
    told = {one.path.name: one.sentence for one in found.problems}
    assert set(told) == {"enormous.png", "empty.jpg", "text.jpg", "cut.jpg", "flipped.png", "broken.jpg", "pipe.jpg"}
    for name, sentence in told.items():
        assert name in sentence and sentence.endswith(".") and "\n" not in sentence
    assert [(one.path.name, one.of.name) for one in found.duplicates] == [("same.png", "good.png")]


LIMITED = """
import re, sys
from pathlib import Path
from training.art.pictures import read_picture

def most():  # not ru_maxrss, in which a process begins with what its parent had
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

read_picture(Path(sys.argv[1]))  # what the libraries take is not the file's
before = most()
print(read_picture(Path(sys.argv[2])).rgb.shape, most() - before)
"""


def test_a_gigapixel_is_read_in_little_memory(folder):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", LIMITED, folder / "good.png", folder / "gigapixel.jpg"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    shape, kilobytes = said.rsplit(" ", 1)
    assert shape == str((LARGEST_SIDE_PX, LARGEST_SIDE_PX, 3))
    assert 0 < int(kilobytes) < 300_000  # of 1.07 GB that its pixels are, 3.2 GB in colour


def as_nobody(folder, does):
    """What a function says, line by line, in that folder for a user who owns nothing."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.chdir(folder)
            if os.geteuid() == 0:  # who may read everything
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            with os.fdopen(writes, "w") as file:
                file.write("\n".join(does()))
            status = 0
        finally:
            os._exit(status)
    os.close(writes)
    with os.fdopen(reads) as file:
        said = file.read().splitlines()
    assert os.waitpid(child, 0)[1] == 0
    return said


@pytest.fixture
def locked(tmp_path):
    """A folder and a file that nobody but their owner, and not even they, may read."""
    for name in ("late", "locked", "open"):
        (tmp_path / name).mkdir()
        scan().save(tmp_path / name / "a.png")
    scan(1).save(tmp_path / "b.png")
    tmp_path.chmod(0o755)
    for path in (tmp_path / "locked", tmp_path / "b.png"):
        path.chmod(0)
    yield tmp_path
    (tmp_path / "locked").chmod(0o755)


def test_what_there_is_no_permission_for_is_told_and_the_others_are_read(locked):
    def said():
        files, problems = picture_files(Path())
        each = [one if isinstance(one, Problem) else str(one.path) for one in told_apart(files)]
        return [one.sentence if isinstance(one, Problem) else one for one in (*each, *problems)]

    assert as_nobody(locked, said) == [
        "b.png cannot be read (Permission denied): see to its permissions, or leave it out.",
        "late/a.png",
        "open/a.png",
        "the folder locked cannot be read (Permission denied): see to its permissions.",
    ]
