"""Images are checked before anything is made of them."""

import cv2
import numpy as np
import pytest

from perception import images
from perception.errors import ImageError


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        ("a.png", "the image is a str: give a numpy array"),
        (np.zeros((480, 640, 3), np.float32), "has values of type float32: give uint8"),
        (np.zeros((480, 640), np.uint8), "has 1 channel: give a colour image with 3 channels"),
        (np.zeros((480, 640, 4), np.uint8), "has 4 channels"),
        (np.zeros((1, 480, 640, 3), np.uint8), "has shape (1, 480, 640, 3)"),
        (np.zeros((8, 8, 3), np.uint8), "is 8 x 8 px: give at least 64 x 64 px"),
        (np.zeros((480, 32, 3), np.uint8), "is 32 x 480 px"),
    ],
)
def test_what_is_no_image_is_refused_in_one_sentence(image, sentence):
    with pytest.raises(ImageError) as error:
        images.check(image)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_is_read_as_rgb(tmp_path):
    picture = np.zeros((64, 80, 3), np.uint8)
    picture[..., 0], picture[:, 40:, 2] = 200, 90
    cv2.imwrite(str(tmp_path / "a.png"), picture[..., ::-1])
    np.testing.assert_array_equal(images.read(tmp_path / "a.png"), picture)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read"),
        (b"", "is not an image file"),
        (b"no image at all", "is not an image file"),
        (np.zeros((64, 64), np.uint8), "has 1 channel"),
        (np.zeros((64, 64, 4), np.uint8), "has 4 channels"),
        (np.zeros((8, 8, 3), np.uint8), "is 8 x 8 px"),
        (np.zeros((64, 64, 3), np.uint16), "values of type uint16"),
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


def test_resizing_averages_areas():
    image = np.zeros((144 * 3, 192 * 3, 3), np.uint8)
    image[::3] = 255
    assert np.all(images.resize(image, 192, 144) == 85)
