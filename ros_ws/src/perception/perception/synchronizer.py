"""Sets of images that several cameras took at about the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Item = TypeVar("Item")
Rule = Literal["newest", "oldest"]
RULES: tuple[Rule, ...] = ("newest", "oldest")


@dataclass(frozen=True)
class Shot(Generic[Item]):
    """What one camera took at stamp_ns."""

    stamp_ns: int
    item: Item


class Synchronizer(Generic[Item]):
    """Keeps the last few shots of each camera, and finds those that belong together: at most `slop_ns` apart.

    rule: of several such sets the newest, for a robot that wants to know how things are now, or the oldest, for what
    has to come out the same however fast it is worked on. kept: shots of one camera; the oldest are dropped, so that
    nothing ever grows.
    """

    def __init__(self, cameras: Sequence[str], slop_ns: int, rule: Rule = "newest", kept: int = 5) -> None:
        self._slop_ns, self._rule = slop_ns, rule
        self._shots: dict[str, deque[Shot[Item]]] = {camera: deque(maxlen=kept) for camera in cameras}

    def add(self, camera: str, stamp_ns: int, item: Item) -> int:
        """Keep a shot; returns the number of shots that went out for it."""
        shots = self._shots[camera]
        gone = int(len(shots) == shots.maxlen)
        shots.append(Shot(stamp_ns, item))
        return gone

    def forget(self) -> None:
        """Drop all shots."""
        for shots in self._shots.values():
            shots.clear()

    def latest(self, camera: str) -> int | None:
        """The newest stamp of a camera."""
        return max((shot.stamp_ns for shot in self._shots[camera]), default=None)

    def newest(self, camera: str, usable: Callable[[int], bool]) -> Shot[Item] | None:
        """The newest shot of a camera whose stamp is usable."""
        return max(self._usable(camera, usable), key=lambda shot: shot.stamp_ns, default=None)

    def together(self, cameras: Sequence[str], usable: Callable[[int], bool]) -> Mapping[str, Shot[Item]] | None:
        """A shot of every camera, all of usable stamps and at most slop_ns apart; None where there is no such set.

        Of several sets the one whose oldest shot is the newest, or the oldest (the rule); of those the closest one.
        """
        shots = {camera: list(self._usable(camera, usable)) for camera in cameras}
        sets = [one for one in self._sets(shots) if _spread(one) <= self._slop_ns]
        if not sets:
            return None
        sign = 1 if self._rule == "newest" else -1
        return max(sets, key=lambda one: (sign * min(shot.stamp_ns for shot in one.values()), -_spread(one)))

    def spread_ns(self, cameras: Sequence[str], usable: Callable[[int], bool]) -> int | None:
        """How far the closest set is apart, whatever the slop; None where a camera has no usable shot."""
        shots = {camera: list(self._usable(camera, usable)) for camera in cameras}
        return min((_spread(one) for one in self._sets(shots)), default=None)

    def _usable(self, camera: str, usable: Callable[[int], bool]) -> Iterator[Shot[Item]]:
        return (shot for shot in self._shots[camera] if usable(shot.stamp_ns))

    @staticmethod
    def _sets(shots: Mapping[str, list[Shot[Item]]]) -> Iterator[Mapping[str, Shot[Item]]]:
        """For every shot, as the oldest of a set, the first of each other camera that is not older."""
        for first in (shot for own in shots.values() for shot in own):
            found = {}
            for camera, own in shots.items():
                later = [shot for shot in own if shot.stamp_ns >= first.stamp_ns]
                if not later:
                    break
                found[camera] = min(later, key=lambda shot: shot.stamp_ns)
            else:
                yield found


def _spread(found: Mapping[str, Shot[Item]]) -> int:
    stamps = [shot.stamp_ns for shot in found.values()]
    return max(stamps) - min(stamps)
