"""The few tones that a robot is painted in, out of the many colours of its materials."""

import numpy as np

MOST_TONES = 4
ALIKE = 0.2  # colours nearer than this in every channel are one tone
SMALL = 0.02  # share of the surface below which a colour is no tone of its own

Colour = tuple[float, float, float]


def sort_into_tones(pieces: list[tuple[Colour, float]]) -> tuple[list[int], list[Colour]]:
    """Tone of each piece (colour, area), and the tones' colours: those of most area, the lightest first."""
    areas: dict[Colour, float] = {}
    for colour, area in pieces:
        areas[colour] = areas.get(colour, 0.0) + area
    leaders: list[Colour] = []
    for colour in sorted(areas, key=lambda one: (-areas[one], one)):
        if not leaders or (
            len(leaders) < MOST_TONES
            and areas[colour] > SMALL * sum(areas.values())
            and min(_distance(colour, leader) for leader in leaders) > ALIKE
        ):
            leaders.append(colour)
    leaders.sort(key=lambda colour: (-sum(colour), colour))
    nearest = {colour: int(np.argmin([_distance(colour, leader) for leader in leaders])) for colour in areas}
    return [nearest[colour] for colour, _ in pieces], leaders


def _distance(first: Colour, second: Colour) -> float:
    return float(np.abs(np.subtract(first, second)).max())
