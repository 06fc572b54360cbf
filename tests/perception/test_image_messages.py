"""Image messages as arrays, and what is refused."""

from types import SimpleNamespace

import numpy as np
import pytest

from perception.errors import ImageError
from perception.image_messages import image_from_message

HEIGHT, WIDTH = 72, 96


def message(encoding: str = "rgb8", **changes: object) -> SimpleNamespace:
    channels = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1}.get(encoding, 3)
    fields = {
        "height": HEIGHT, "width": WIDTH, "encoding": encoding, "is_bigendian": 0, "step": WIDTH * channels,
        "data": picture(channels).tobytes(),
    }  # fmt: skip
    return SimpleNamespace(**{**fields, **changes})


def picture(channels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, channels), dtype=np.uint8)


@pytest.mark.parametrize(
    ("encoding", "channels", "order"),
    [("rgb8", 3, [0, 1, 2]), ("bgr8", 3, [2, 1, 0]), ("rgba8", 4, [0, 1, 2]), ("bgra8", 4, [2, 1, 0]),
     ("mono8", 1, [0, 0, 0])],
)  # fmt: skip
def test_encodings_become_rgb(encoding: str, channels: int, order: list[int]) -> None:
    image = image_from_message(message(encoding))
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, picture(channels)[:, :, order])


@pytest.mark.parametrize("is_bigendian", [0, 1])
def test_16_bits_of_either_byte_order_become_8(is_bigendian: int) -> None:
    wide = np.random.default_rng(1).integers(0, 65536, (HEIGHT, WIDTH), dtype=np.uint16)
    data = wide.astype(">u2" if is_bigendian else "<u2").tobytes()
    image = image_from_message(message("mono16", step=WIDTH * 2, data=data, is_bigendian=is_bigendian))
    np.testing.assert_array_equal(image, np.round(wide / 257)[..., None].repeat(3, axis=-1))


def test_rows_may_be_padded() -> None:
    padded = np.zeros((HEIGHT, WIDTH * 3 + 5), dtype=np.uint8)
    padded[:, : WIDTH * 3] = picture(3).reshape(HEIGHT, -1)
    image = image_from_message(message(step=padded.shape[1], data=padded.tobytes()))
    np.testing.assert_array_equal(image, picture(3))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"encoding": "32FC1"}, "encoding '32FC1': publish one of rgb8"),
        ({"encoding": ""}, "encoding ''"),
        ({"encoding": "16UC1"}, "encoding '16UC1'"),
        ({"width": 12_000, "height": 9_000}, "is 12000 x 9000 px: give at most 100 megapixels"),
        ({"width": 0, "height": 0, "step": 0, "data": b""}, "is 0 x 0 px: give at least 64 x 64 px"),
        ({"step": 10}, "has a step of 10 bytes: a row needs at least 288"),
        ({"data": b"\0" * 100}, "holds 100 bytes: step x height is 20736"),
    ],
)
def test_what_is_not_a_whole_image_is_refused(changes: dict, sentence: str) -> None:
    with pytest.raises(ImageError) as caught:
        image_from_message(message(**changes))
    assert sentence in str(caught.value)
