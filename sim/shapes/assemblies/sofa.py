"""Sofas and benches with upholstery."""

from dataclasses import dataclass
from typing import ClassVar

from sim.shapes.assemblies.supports import four_legs
from sim.shapes.family import Family, one_of, within
from sim.shapes.lofts import box, cushion, turned
from sim.shapes.parts import Part


@dataclass(frozen=True)
class Sofa(Family):
    """seats: how many, rounded; they share the width between the arms. chaise: above a half, one end is longer."""

    category: ClassVar[str] = "sofa"

    arms: str = one_of("boxes", "rolls", "none")
    seats: float = within(1.0, 4.0)
    seat_width_m: float = within(0.50, 0.75)
    depth_m: float = within(0.75, 1.00)
    seat_height_m: float = within(0.36, 0.48)
    back_height_m: float = within(0.65, 0.95)
    back_m: float = within(0.12, 0.25)
    back_lean_rad: float = within(0.0, 0.25)
    arm_height_m: float = within(0.50, 0.68)
    arm_m: float = within(0.10, 0.24)
    edge_m: float = within(0.01, 0.05)
    cushions: float = within(0.0, 1.0)
    legs_m: float = within(0.02, 0.16)
    leg_m: float = within(0.015, 0.035)
    chaise: float = within(0.0, 1.0)
    chaise_m: float = within(0.40, 0.80)

    def parts(self) -> tuple[Part, ...]:
        """Base, seats, back, arms, legs."""
        count, edge = round(self.seats), self.edge_m
        inner = count * self.seat_width_m
        half, front, back = inner / 2, self.depth_m / 2, -self.depth_m / 2
        thick = 0.35 * (self.seat_height_m - self.legs_m) + 0.04
        top = self.seat_height_m - thick
        arm = 0.0 if self.arms == "none" else self.arm_m
        parts = [cushion((back, -half - 0.5 * arm, self.legs_m), (front, half + 0.5 * arm, top + 0.01), 0.4 * edge)]
        parts += four_legs(self.legs_m, front - 0.07, half - 0.03, self.leg_m, 0.7, 0.0, round_=False)
        lying = back + 0.6 * self.back_m
        for i in range(count):
            first, last = -half + i * self.seat_width_m, -half + (i + 1) * self.seat_width_m
            end = front + (self.chaise_m if self.chaise > 0.5 and count > 1 and i == count - 1 else 0.0)
            parts.append(cushion((lying, first + 0.004, top), (end, last - 0.004, top + thick), edge))
            if end > front:
                parts.append(box((front - 0.02, first, self.legs_m), (end, last, top + 0.01)))
        parts += self._backs(half, count)
        for side in (-1, 1) if arm else ():
            middle = side * (half + arm / 2)
            low, high = (back, middle - arm / 2, self.legs_m), (front, middle + arm / 2, self.arm_height_m)
            parts.append(cushion(low, high, edge, axis=0))
            if self.arms == "rolls":
                radius = 0.62 * arm
                low = (back, middle - radius, self.arm_height_m - radius)
                high = (front + 0.01, middle + radius, self.arm_height_m + radius)
                parts.append(cushion(low, high, 0.2 * radius, corner=1.0, axis=0))
        return tuple(parts)

    def _backs(self, half: float, count: int) -> list[Part]:
        back, edge = -self.depth_m / 2, self.edge_m
        whole = cushion((back, -half, self.legs_m), (back + self.back_m, half, self.back_height_m), edge, axis=0)
        parts = [whole]
        if self.cushions > 0.5:
            front = back + self.back_m + 0.14
            for i in range(count):
                low = -half + i * self.seat_width_m
                cushion_low = (back + 0.5 * self.back_m, low + 0.01, self.seat_height_m - 0.02)
                cushion_high = (front, low + self.seat_width_m - 0.01, self.back_height_m - 0.03)
                parts.append(cushion(cushion_low, cushion_high, 0.04, corner=0.3, axis=0))
        about = (back + self.back_m / 2, 0.0, self.seat_height_m)
        return [turned(part, -self.back_lean_rad, axis=1, about=about) for part in parts]
