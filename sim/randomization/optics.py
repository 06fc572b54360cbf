"""What lens and sensor do to the light."""

from math import pi

from sim.random_streams import stream
from sim.randomization.config import RandomizationConfig
from sim.randomization.draws import count_within, happens, within
from sim.scene import Lens, Sensor


def sample_optics(seed: int, index: int, number: int, config: RandomizationConfig) -> tuple[Lens, Sensor]:
    """Lens and sensor of camera `number`."""
    rng, ranges, glass = stream(seed, index, f"optics {number}"), config.sensor, config.lens
    shift = (within(rng, glass.shift_px), within(rng, glass.shift_px))
    lens = Lens(shift, within(rng, glass.k1), within(rng, glass.k2))
    moved, direction, smear = (
        happens(rng, ranges.motion_share),
        pi * rng.random(),
        within(rng, ranges.motion_px),
    )
    packed, quality = happens(rng, ranges.jpeg_share), count_within(rng, ranges.jpeg_quality)
    sensor = Sensor(
        vignetting=within(rng, ranges.vignetting),
        motion_px=smear if moved else 0.0,
        motion_rad=direction if moved else 0.0,
        blur_px=within(rng, ranges.blur_px),
        exposure_ev=within(rng, ranges.exposure_ev),
        white_balance=(within(rng, ranges.white_balance), within(rng, ranges.white_balance)),
        shot_noise=within(rng, ranges.shot_noise),
        read_noise=within(rng, ranges.read_noise),
        jpeg=quality if packed else None,
        seed=int(rng.integers(2**31)),
    )
    return lens, sensor
