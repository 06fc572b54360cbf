"""What a camera does to the light that its lens brings: from a picture of the scene to the picture that is stored.

Vignetting, smear, blur, exposure and white balance act on light, so the values are made linear for them and displayed
again after (IEC 61966-2-1); noise and compression act on the stored values.
"""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np

from sim.renderers import Frame, Shot
from sim.scene import Sensor, View

LEVELS = 4096  # of linear light, when it is displayed again
TILE = 1024
TILE_LEVELS = 32  # per standard deviation
LEAST_BLUR_PX = 0.05


def develop(frame: Frame, shot: Shot, view: View) -> Frame:
    """The frame with rgb as the view's sensor stores it.

    Blur and smear have a length in pixels of the camera's image, so a crop that is drawn larger shows them larger.
    Vignetting is that of the place in the camera's image. Noise and JPEG are those of the shot's own pixels.
    """
    sensor = view.sensor
    if sensor == Sensor(seed=sensor.seed):
        return frame
    rgb = _stored(_noisy(_exposed(frame.rgb, shot, view), sensor), sensor)
    return replace(frame, rgb=rgb)


def _exposed(rgb: np.ndarray, shot: Shot, view: View) -> np.ndarray:
    sensor = view.sensor
    red, blue = sensor.white_balance
    gains = 2.0**sensor.exposure_ev * np.array([red, 1.0, blue])
    scale = np.sqrt(shot.width * shot.height / ((shot.u1 - shot.u0) * (shot.v1 - shot.v0)))
    motion, blur = sensor.motion_px * scale, sensor.blur_px * scale
    blurred = motion > LEAST_BLUR_PX or blur > LEAST_BLUR_PX
    if not blurred and not sensor.vignetting and np.allclose(gains, 1.0):
        return rgb
    light: np.ndarray = cv2.LUT(rgb, ((LEVELS - 1) * _linear()[:, None] * gains).astype(np.float32)[:, None])
    if sensor.vignetting:
        light = cv2.multiply(light, cv2.merge([_share_left(shot, view)] * 3))
    if motion > LEAST_BLUR_PX:
        light = cv2.filter2D(light, -1, _smear(motion, sensor.motion_rad), borderType=cv2.BORDER_REPLICATE)
    if blur > LEAST_BLUR_PX:
        light = cv2.GaussianBlur(light, (0, 0), blur, borderType=cv2.BORDER_REPLICATE)
    steps = np.asarray(cv2.add(light, np.zeros(4), dtype=cv2.CV_16U), np.uint16)  # rounded, and held within the type
    return _displayed().take(steps)


def _share_left(shot: Shot, view: View) -> np.ndarray:
    """(H, W) share of the light that vignetting leaves: it falls with the square of the distance from the principal
    point, to 1 - vignetting at the distance of the corners from the middle."""
    camera, (right, down) = view.camera, view.lens.shift_px
    corner = np.hypot(camera.width, camera.height) / 2
    columns = (np.arange(shot.width) + 0.5) * (shot.u1 - shot.u0) / shot.width
    rows = (np.arange(shot.height) + 0.5) * (shot.v1 - shot.v0) / shot.height
    across = ((shot.u0 + columns - camera.width / 2 - right) / corner).astype(np.float32)
    along = ((shot.v0 + rows - camera.height / 2 - down) / corner).astype(np.float32)
    lost = np.float32(view.sensor.vignetting) * (across[None, :] ** 2 + along[:, None] ** 2)
    return np.maximum(np.float32(1.0) - lost, np.float32(0.0))


def _smear(length_px: float, direction_rad: float) -> np.ndarray:
    """(n, n) kernel of a line of that length through the middle."""
    half = length_px / 2
    reach = int(np.ceil(half))
    steps = np.linspace(-half, half, 4 * reach + 1)
    x, y = steps * np.cos(direction_rad) + reach, steps * np.sin(direction_rad) + reach
    kernel = np.zeros((2 * reach + 2, 2 * reach + 2), np.float32)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    for down in (0, 1):
        for across in (0, 1):
            weight = np.abs(1 - across - (x - left)) * np.abs(1 - down - (y - top))
            np.add.at(kernel, (top + down, left + across), weight)
    return kernel[:-1, :-1] / kernel.sum()


def _noisy(rgb: np.ndarray, sensor: Sensor) -> np.ndarray:
    """Normal noise, its variance that of the dark plus what is in proportion to the value."""
    if sensor.shot_noise == 0 and sensor.read_noise == 0:
        return rgb
    values = np.arange(256) / 255
    deviation = 255 * np.sqrt(sensor.read_noise**2 + sensor.shot_noise**2 * values) / TILE_LEVELS
    amount = cv2.LUT(rgb, deviation.astype(np.float32))
    noise = cv2.multiply(amount, _noise(rgb.shape[:2], sensor.seed), dtype=cv2.CV_32F)
    return cv2.add(rgb, noise, dtype=cv2.CV_8U)


def _noise(size: tuple[int, int], seed: int) -> np.ndarray:
    """(H, W, 3) int8, TILE_LEVELS a standard deviation: a part of one large tile, at a place that the seed chooses.

    Drawing as many normal numbers anew would take longer than everything else here.
    """
    rng = np.random.default_rng(seed)
    top, left = (int(rng.integers(max(TILE - length, 0) + 1)) for length in size)
    if max(size) <= TILE:
        return _tile()[top : top + size[0], left : left + size[1]]
    repeats = [-(-length // TILE) for length in size]
    return np.tile(_tile(), (*repeats, 1))[: size[0], : size[1]]


def _stored(rgb: np.ndarray, sensor: Sensor) -> np.ndarray:
    if sensor.jpeg is None:
        return rgb
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, sensor.jpeg])
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)


@cache
def _tile() -> np.ndarray:
    drawn = np.random.default_rng(0).standard_normal((TILE, TILE, 3), dtype=np.float32)
    return np.rint(drawn * TILE_LEVELS).clip(-127, 127).astype(np.int8)


@cache
def _linear() -> np.ndarray:
    """(256,) light for stored values."""
    stored = np.arange(256) / 255
    return np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4)


@cache
def _displayed() -> np.ndarray:
    """(65536,) stored values for light in LEVELS - 1 steps from 0 to 1, and white for more."""
    light = np.minimum(np.arange(1 << 16) / (LEVELS - 1), 1.0)
    stored = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255 * stored).astype(np.uint8)
