"""Hammers lying on a cheek: the head along y over the origin, the handle along +x."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sim.shapes.family import Family, one_of, several, within
from sim.shapes.handles import bar
from sim.shapes.parts import Part, tube
from sim.shapes.profiles import DENSE

HEAD_POINTS = 28
UP = np.array([0.0, 0.0, 1.0])
SUNK_M = 0.002  # how deep the handle begins inside the head
STATION_ROWS = np.array([2, 4, 3, 3, 4, 4, 4, 4])  # rings from each station of the head to the next
TIP_ROWS = 6


@dataclass(frozen=True)
class Peen:
    """The end that is not the face: half sizes along x and z as factors of the cheek's a third of the way to its end,
    two thirds, and there; exponent of its section; how much of the head its rounded tip takes, per half size."""

    factors: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
    exponent: float
    tip: float


PEENS = {
    "flat": Peen(((0.95, 0.95), (1.0, 1.0), (1.0, 1.0)), 2.5, 0.15),
    "claw": Peen(((0.75, 1.0), (0.45, 1.0), (0.20, 0.95)), 3.5, 1.0),
    "wedge": Peen(((0.85, 1.0), (0.50, 1.0), (0.18, 1.0)), 4.0, 1.0),
    "ball": Peen(((0.70, 0.70), (0.90, 0.90), (0.95, 0.95)), 2.0, 1.0),
}


@dataclass(frozen=True)
class Hammer(Family):
    """The head's lengths are those of its face and its peen from the handle's axis. cheek_m, face_m: half the size of
    the head's section at the handle and at the face; cheek_height: its height there as a share of its width. neck: how
    far the head is drawn in between. claw_bend_m: how far a claw bends towards the handle."""

    category: ClassVar[str] = "hammer"

    peen: str = one_of(*PEENS)
    face_length_m: float = within(0.030, 0.060)
    peen_length_m: float = within(0.035, 0.070)
    cheek_m: float = within(0.010, 0.016)
    cheek_height: float = within(0.85, 1.20)
    face_m: float = within(0.010, 0.017)
    neck: float = within(0.65, 1.00)
    face_exponent: float = within(2.0, 4.0)
    cheek_exponent: float = within(2.2, 5.0)
    claw_bend_m: float = within(0.008, 0.025)
    handle_length_m: float = within(0.16, 0.32)
    handle_width_half_m: tuple[float, ...] = several(4, 0.009, 0.016)
    handle_height_half_m: tuple[float, ...] = several(4, 0.007, 0.010)
    handle_exponent: float = within(2.0, 3.5)

    def parts(self) -> tuple[Part, ...]:
        """Head and handle."""
        head, middle_m = self._head()
        share = np.linspace(0, 1, DENSE)
        x = self.cheek_m - SUNK_M + self.handle_length_m * share
        path = np.stack([x, np.zeros(DENSE), np.full(DENSE, middle_m)], axis=-1)
        sizes = np.stack([self.handle_height_half_m, self.handle_width_half_m], axis=-1)
        return head, bar(path, sizes, self.handle_exponent)

    def _head(self) -> tuple[Part, float]:
        """The head, and the height of its axis, m."""
        peen, wide, high = PEENS[self.peen], self.cheek_m, self.cheek_m * self.cheek_height
        front, back, face = self.face_length_m, self.peen_length_m, self.face_m
        half = min(1.2 * wide, 0.4 * front, 0.4 * back)  # of the cheek along y
        neck = self.neck * min(wide, face, high)
        # place along y, half sizes along x and z, exponent of the section
        stations = [
            (-front, 0.9 * face, 0.9 * face, self.face_exponent),
            (0.0015 - front, face, face, self.face_exponent),
            (-0.75 * front, face, face, self.face_exponent),
            (-0.58 * front, neck, neck, 2.0),
            (-half, wide, high, self.cheek_exponent),
            (half, wide, high, self.cheek_exponent),
        ]
        for number, (x, z) in enumerate(peen.factors):
            stations.append((half + (back - half) * (number + 1) / 3, x * wide, z * high, peen.exponent))
        table = np.array(stations)
        tip = min(peen.tip * table[-1, 1:3].min(), (back - half) / 3.5)
        # Rows at the stations and evenly between them; the last of them make the tip round.
        table[-1, 0] -= tip
        marks = np.concatenate([[0], np.cumsum(STATION_ROWS)])
        rows = np.stack([np.interp(np.arange(marks[-1] + 1), marks, column) for column in table.T], axis=-1)
        turns = np.linspace(0, np.pi / 2, TIP_ROWS + 2)[1:-1]
        ends = np.tile(rows[-1], (TIP_ROWS, 1))
        ends[:, 0] += tip * np.sin(turns)
        ends[:, 1:3] -= tip * (1 - np.cos(turns))[:, None]
        rows = np.concatenate([rows, ends])
        y, sizes = rows[:, 0], rows[:, 1:3]
        bend = self.claw_bend_m if self.peen == "claw" else 0.0
        middle = float(sizes[:, 1].max())
        bent = bend * np.clip((y - half) / (back - half), 0, 1) ** 2
        path = np.stack([bent, y, np.full(len(y), middle)], axis=-1)
        return tube(path, UP, sizes, rows[:, 3], HEAD_POINTS, rings_per_piece=2), middle
