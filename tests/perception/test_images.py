"""What is taken for an image, what becomes of it, and what is refused."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from perception import images
from perception.errors import ImageError

COLOUR = np.random.default_rng(0).integers(0, 256, (72, 96, 3), dtype=np.uint8)
GREY = COLOUR[..., 0]
ALPHA = np.dstack([COLOUR, GREY])


def wide(image: np.ndarray) -> np.ndarray:
    """The image in 16 bits."""
    return image.astype(np.uint16) * 257


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (GREY, np.dstack([GREY] * 3)),
        (GREY[..., None], np.dstack([GREY] * 3)),
        (ALPHA, COLOUR),
        (wide(COLOUR), COLOUR),
        (wide(ALPHA), COLOUR),
        (wide(GREY), np.dstack([GREY] * 3)),
        (wide(GREY)[..., None], np.dstack([GREY] * 3)),
        (wide(COLOUR).astype(">u2"), COLOUR),
        (np.asfortranarray(wide(COLOUR)), COLOUR),
        (wide(COLOUR)[:, ::-1], COLOUR[:, ::-1]),
    ],
)
def test_grey_alpha_and_16_bits_become_rgb_of_8_bits(image, expected):
    found = images.prepare(image)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


def test_an_image_that_is_right_already_is_not_copied():
    assert images.prepare(COLOUR) is COLOUR


def test_16_bits_are_divided_by_257_and_rounded():
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(images.prepare(values)[..., 1], np.round(values / 257))


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        ("a.png", "the image is a str: give a numpy array"),
        (None, "the image is a NoneType: give a numpy array"),
        (np.zeros((480, 640, 3), np.float32), "has values of type float32: give uint8, 0 to 255, or uint16"),
        (np.zeros((480, 640, 3), np.int32), "has values of type int32"),
        (np.zeros((480, 640, 3), np.uint32), "has values of type uint32"),
        (np.zeros((480, 640, 3), bool), "has values of type bool"),
        (np.zeros((480, 640, 2), np.uint8), "has 2 channels: give 1 (grey), 3 (RGB) or 4 (RGB and alpha)"),
        (np.zeros((480, 640, 0), np.uint8), "has 0 channels"),
        (np.zeros((3, 480, 640), np.uint8), "has 640 channels"),
        (np.zeros((1, 480, 640, 3), np.uint8), "has shape (1, 480, 640, 3)"),
        (np.zeros(640, np.uint8), "has shape (640,)"),
        (np.zeros((0, 0, 3), np.uint8), "is 0 x 0 px: give at least 64 x 64 px"),
        (np.zeros((8, 8, 3), np.uint8), "is 8 x 8 px: give at least 64 x 64 px"),
        (np.zeros((480, 63), np.uint16), "is 63 x 480 px"),
        (np.broadcast_to(np.uint8(0), (9_000, 12_000, 3)), "is 12000 x 9000 px: give at most 100 megapixels"),
        (np.broadcast_to(np.uint8(0), (64, 40_000, 3)), "and 32000 px a side; scale it down"),
    ],
)
def test_what_is_no_image_is_refused_in_one_sentence(image, sentence):
    with pytest.raises(ImageError) as error:
        images.prepare(image)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("image", [COLOUR, ALPHA, GREY, wide(COLOUR), wide(ALPHA), wide(GREY)])
def test_a_file_is_read_as_the_array_would_be(tmp_path, image):
    blue_first = image if image.ndim == 2 else image[..., [2, 1, 0, 3][: image.shape[2]]]
    cv2.imwrite(str(tmp_path / "a.png"), blue_first)
    np.testing.assert_array_equal(images.read(tmp_path / "a.png"), images.prepare(image))


def test_a_photograph_is_turned_as_its_exif_says(tmp_path):
    picture = Image.fromarray(COLOUR)
    exif = picture.getexif()
    exif[0x0112] = 6  # orientation: the top of the scene is on the right
    picture.save(tmp_path / "a.jpg", exif=exif, quality=100, subsampling=0)
    found = images.read(tmp_path / "a.jpg").astype(int)
    assert np.abs(found - np.rot90(COLOUR, -1)).mean() < 3


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read"),
        (b"", "is not an image file"),
        (b"no image at all", "is not an image file"),
        (np.zeros((8, 8, 3), np.uint8), "is 8 x 8 px"),
    ],
)
def test_bad_files_are_refused_by_name(tmp_path, content, sentence):
    path = tmp_path / "picture.png"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        cv2.imwrite(str(path), content)
    with pytest.raises(ImageError) as error:
        images.read(path)
    assert "picture.png" in str(error.value) and sentence in str(error.value)


def test_damaged_files_and_folders_are_refused(tmp_path):
    assert cv2.imwrite(str(tmp_path / "whole.png"), COLOUR)
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:60])
    with pytest.raises(ImageError, match=r"half\.png is damaged"):
        images.read(tmp_path / "half.png")
    with pytest.raises(ImageError, match="cannot be read"):
        images.read(tmp_path)


@pytest.mark.parametrize(
    ("width", "height", "sentence"),
    [(12_000, 9_000, "is 12000 x 9000 px"), (30_000, 30_000, "is too large"), (2**31 - 1, 2**31 - 1, "is too large")],
)
def test_huge_files_are_refused_by_their_header(tmp_path, width, height, sentence):
    header = b"IHDR" + struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    (tmp_path / "huge.png").write_bytes(content + struct.pack(">I", 0) + b"IDAT" + b"\0" * 16)
    with pytest.raises(ImageError) as error:
        images.read(tmp_path / "huge.png")
    assert sentence in str(error.value) and "give at most 100 megapixels" in str(error.value)


def test_resizing_averages_areas():
    image = np.zeros((144 * 3, 192 * 3, 3), np.uint8)
    image[::3] = 255
    assert np.all(images.resize(image, 192, 144) == 85)
