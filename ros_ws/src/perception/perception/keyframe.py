"""Views whose cameras are known: what each shows of the robot and the block, and where each stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perception.adjustment import Observations
from perception.camera import Camera
from perception.images import Image
from perception.resection import Matches, Resection
from perception.search import Looking
from perception.sight import Sight

if TYPE_CHECKING:
    from perception.localize import View


@dataclass(frozen=True)
class Keyframe:
    """Of all views, in their order: names of the cameras, sizes (width, height), what each shows (None: nothing to look
    at), where each stands (None: not known). looks: those in which a block can be looked for, by the numbers of
    `cameras`; robot: all that is seen of the robot, which holds the cameras; stamp_s: of the oldest."""

    names: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    sights: tuple[Sight | None, ...]
    found: tuple[Resection | None, ...]
    looks: tuple[Looking, ...]
    cameras: tuple[Camera, ...]
    numbers: tuple[int, ...]
    robot: Observations
    stamp_s: float

    @classmethod
    def of(
        cls,
        views: Sequence[View],
        sights: Sequence[Sight | None],
        matches: Sequence[Matches],
        found: Sequence[Resection | None],
    ) -> Keyframe:
        """From what each view shows, what of it is the robot, and its camera; views of one camera share one."""
        distinct = list({id(one): one for one in found if one is not None}.values())
        by_id = {id(one): i for i, one in enumerate(distinct)}
        numbers = tuple(by_id.get(id(one), -1) for one in found)
        looks, robot = [], []
        for number, resection, sight, own in zip(numbers, found, sights, matches, strict=True):
            if resection is None:
                continue
            if sight is not None:
                looks.append(Looking(sight, number, resection))
            robot.append(own.seen_by(number))
        return cls(
            names=tuple(view.camera for view in views),
            sizes=tuple(view.size for view in views),
            sights=tuple(sights),
            found=tuple(found),
            looks=tuple(looks),
            cameras=tuple(one.camera for one in distinct),
            numbers=numbers,
            robot=Observations.join(robot),
            stamp_s=min(view.stamp_s for view in views),
        )

    def pictures(self, views: Sequence[View]) -> list[Image]:
        """The images, of these views or later ones of the same cameras, that belong to the looks."""
        usable = zip(views, self.found, self.sights, strict=True)
        return [view.image for view, one, sight in usable if one is not None and sight is not None]

    def fits(self, views: Sequence[View]) -> bool:
        """Whether views are of the same cameras, in the same order, with images of the same sizes."""
        now = tuple((view.camera, view.size) for view in views)
        return now == tuple(zip(self.names, self.sizes, strict=True))
