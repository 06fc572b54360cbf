"""Built engines are found again for what they were built for, and never believed otherwise."""

import json
import os
from dataclasses import fields, replace

import pytest

from perception.engines import engine_files
from perception.engines.engine_files import EngineKey, engines_dir, read_engine, write_engine
from perception.errors import EngineError

KEY = EngineKey("fine", "ab" * 32, "fp16", "tensorrt 11.4.0.106", "NVIDIA Abacus", "9.0", 12)
ENGINE = bytes(range(256)) * 40


@pytest.fixture
def built(tmp_path):
    return write_engine(tmp_path / "engines", KEY, ENGINE)


def refusal(path, key=KEY):
    with pytest.raises(EngineError) as error:
        read_engine(path.parent, key)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_an_engine_comes_back_as_it_was_written(built):
    assert read_engine(built.parent, KEY) == ENGINE
    assert built.parent.stat().st_mode & 0o077 == 0
    write_engine(built.parent, KEY, b"another")
    assert read_engine(built.parent, KEY) == b"another" and [built] == list(built.parent.iterdir())


@pytest.mark.fault(
    "a TensorRT engine of another GPU, version or network",
    "never loaded; the sentence names the command that builds it",
)
@pytest.mark.parametrize("field", [one.name for one in fields(EngineKey)])
def test_an_engine_of_anything_else_is_another_file_or_refused(built, field):
    other = replace(KEY, **{field: 6 if field == "most_images" else "other"})
    assert "there is no engine of" in refusal(built, other)
    built.rename(built.parent / other.file_name)
    assert f"was built for another {field}" in refusal(built, other)


def damaged(content):
    line, _, engine = content.partition(b"\n")
    header = json.loads(line)

    def with_header(**changes):
        return json.dumps({**header, **changes}).encode() + b"\n" + engine

    unsigned = json.dumps({key: value for key, value in header.items() if key != "sha256"}).encode()

    return {
        "cut off": content[:-1],
        "longer than it says": content + b"x",
        "changed": content[:-1] + b"x",
        "empty": b"",
        "not JSON": b"engine\n" + engine,
        "a list": b"[]\n" + engine,
        "another format": with_header(format=99),
        "no size": with_header(bytes="many"),
        "a negative size": with_header(bytes=-1),
        "a size beyond memory": with_header(bytes=1 << 60),
        "an endless header": b"{" * 100_000,
        "a header nested deeper than can be read": b"[" * 4096,
        "no checksum": unsigned + b"\n" + engine,
        "a checksum that is none": with_header(sha256=["0"]),
        "a size that is no number": with_header(bytes=float("nan")),
        "bytes that are no text": b"\xff\xfe\xfd\n" + engine,
    }


@pytest.mark.fault("a TensorRT engine that is damaged or hostile", "never loaded; refused in one sentence")
@pytest.mark.parametrize("kind", sorted(damaged(b"{}\n")))
def test_damaged_and_hostile_files_are_refused(built, kind):
    built.write_bytes(damaged(built.read_bytes())[kind])
    assert str(built) in refusal(built)


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "link to itself"])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(built, kind):
    built.unlink()
    if kind == "pipe":
        os.mkfifo(built)
    elif kind == "folder":
        built.mkdir()
    else:
        built.symlink_to("/dev/zero" if kind == "device" else built.name)
    assert f"{built} cannot be read" in refusal(built)


@pytest.mark.parametrize("name", ["../../outside", "/etc/engine", "a/b", "..", "nul\0", "x" * 300])
def test_an_engine_is_never_written_outside_of_its_folder(tmp_path, name):
    folder, key = tmp_path / "engines", replace(KEY, bundle=name)
    assert write_engine(folder, key, ENGINE).parent == folder
    assert read_engine(folder, key) == ENGINE
    assert [path.name for path in tmp_path.iterdir()] == ["engines"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="name another folder in BLOCKWORLD_ENGINES"):
        write_engine(tmp_path / "file", KEY, ENGINE)


def test_what_fails_half_way_leaves_the_old_engine_alone(built, monkeypatch):
    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(engine_files.os, "fsync", full)
    with pytest.raises(EngineError, match="No space left on device"):
        write_engine(built.parent, KEY, b"another")
    assert read_engine(built.parent, KEY) == ENGINE and [built] == list(built.parent.iterdir())


def test_the_folder_is_named_by_the_environment_or_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("BLOCKWORLD_ENGINES", raising=False)
    assert engines_dir() == tmp_path / "blockworld" / "engines"
    monkeypatch.setenv("BLOCKWORLD_ENGINES", str(tmp_path / "mine"))
    assert engines_dir() == tmp_path / "mine"
