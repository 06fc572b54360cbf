"""PNG files of data sets hold what was written, and every reader reads them."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sim.dataset.png import encode_png

pytest.importorskip("isal")
KINDS = (((), np.uint8), ((), np.uint16), ((3,), np.uint8))


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from(KINDS), st.integers(0, 2**32 - 1))
def test_what_is_written_is_read(height, width, kind, seed):
    depth, dtype = kind
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, np.iinfo(dtype).max, (height, width, *depth), dtype, endpoint=True)
    for pixels in (noise, np.full_like(noise, noise.flat[0]), noise[:, ::-1], np.asfortranarray(noise)):
        data = encode_png(pixels)
        read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(read[..., ::-1] if depth else read, pixels)
        with Image.open(io.BytesIO(data)) as image:
            image.verify()  # the chunks' checksums too
        with Image.open(io.BytesIO(data)) as image:
            np.testing.assert_array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize("shape, dtype", [((4, 4), np.float32), ((4, 4, 4), np.uint8), ((4, 4, 3), np.uint16)])
def test_what_a_png_does_not_hold_is_refused(shape, dtype):
    with pytest.raises(ValueError, match="a PNG holds no"):
        encode_png(np.zeros(shape, dtype))
