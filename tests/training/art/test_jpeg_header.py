"""A JPEG that decoding holds in memory whole is known by its header."""

import io

import pytest
from fixtures_art import scan
from hypothesis import given
from hypothesis import strategies as some

from training.art.jpeg_header import is_decoded_in_strips


def saved(**options) -> bytes:
    file = io.BytesIO()
    scan().save(file, "JPEG", **options)
    return file.getvalue()


def test_an_ordinary_one_is_decoded_in_strips():
    assert is_decoded_in_strips(io.BytesIO(saved()))


@pytest.mark.parametrize(
    "content",
    [
        saved(progressive=True),
        saved()[:200],
        b"",
        b"\xff\xd8\xff\xd9",
        b"\x89PNG\r\n\x1a\n",
        # Three colours in the frame, one in the first scan.
        b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x10\x00\x10\x03" + bytes(9) + b"\xff\xda\x00\x08\x01" + bytes(5),
    ],
)
def test_others_are_not(content):
    assert not is_decoded_in_strips(io.BytesIO(content))


@given(some.binary(max_size=300))
def test_any_bytes_have_an_answer(content):
    assert is_decoded_in_strips(io.BytesIO(b"\xff\xd8" + content)) in (True, False)
