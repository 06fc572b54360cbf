"""Pictures as bytes: colours, depths and labels."""

import cv2
import numpy as np

from sim.dataset.config import Codec
from sim.dataset.png import encode_png

DEPTH_UNIT_M = 2e-4
JPEG_QUALITY = 95
EXTENSIONS: dict[Codec, str] = {"png": "png", "jpeg": "jpg"}


def encode_rgb(rgb: np.ndarray, codec: Codec) -> bytes:
    """A file of (H, W, 3) uint8 sRGB."""
    if codec == "png":
        return encode_png(rgb)
    written, data = cv2.imencode(".jpg", rgb[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
    if not written:
        raise ValueError(f"a picture of shape {rgb.shape} cannot be written as JPEG")
    return data.tobytes()


def decode_rgb(data: bytes) -> np.ndarray:
    """(H, W, 3) uint8 sRGB of a file."""
    return np.ascontiguousarray(_decode(data, cv2.IMREAD_COLOR)[..., ::-1])


def encode_depth(depth_m: np.ndarray) -> bytes:
    """A PNG of uint16 in units of DEPTH_UNIT_M for depths (H, W) in m: 0 where there is nothing, or it is farther
    than 13.1 m."""
    units = np.nan_to_num(depth_m / DEPTH_UNIT_M, nan=0.0, posinf=0.0).round()
    units[units > np.iinfo(np.uint16).max] = 0
    return encode_units(units.astype(np.uint16))


def decode_depth(data: bytes) -> np.ndarray:
    """Depths (H, W) float32 in m, inf where there is nothing."""
    units = decode_units(data)
    return np.where(units > 0, units * DEPTH_UNIT_M, np.inf).astype(np.float32)


def decode_units(data: bytes) -> np.ndarray:
    """Depths (H, W) uint16 as stored, in DEPTH_UNIT_M."""
    return _decode(data, cv2.IMREAD_UNCHANGED)


def encode_units(units: np.ndarray) -> bytes:
    """A PNG of depths as `decode_units` gives them."""
    return encode_png(units)


def encode_labels(labels: np.ndarray) -> bytes:
    """A grey PNG of labels (H, W) uint8."""
    return encode_png(labels)


def decode_labels(data: bytes) -> np.ndarray:
    """Labels (H, W) uint8."""
    return _decode(data, cv2.IMREAD_UNCHANGED)


def _decode(data: bytes, flags: int) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if pixels is None:
        raise ValueError("a picture of the data set cannot be decoded")
    return np.asarray(pixels)
