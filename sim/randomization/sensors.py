"""What cameras do to the light."""

from sim.random_streams import stream
from sim.randomization.config import RandomizationConfig
from sim.randomization.draws import count_within, happens, within
from sim.scene import Sensor


def sample_sensor(seed: int, index: int, view: int, config: RandomizationConfig) -> Sensor:
    """The sensor of camera number `view`."""
    rng, ranges = stream(seed, index, f"sensor {view}"), config.sensor
    moved, direction = happens(rng, ranges.motion_share), 3.141592653589793 * rng.random()
    smear, packed = within(rng, ranges.motion_px), happens(rng, ranges.jpeg_share)
    quality = count_within(rng, ranges.jpeg_quality)
    return Sensor(
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
