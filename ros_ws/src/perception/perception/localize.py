"""Localizing the block in three stages: coarse from overviews, the tool in the image, fine from close-ups.

Every stage reads dense heat maps. Points of the robot are known in 3-D from the joint angles, so that where they appear
gives a first camera (perception.resection). Through it, heat maps of the block become hypotheses (perception.search),
and one adjustment over all views, cameras and the block refines each (perception.geometry). See docs/localization.md.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from perception import crop, doubts, geometry, images
from perception.adjustment import Pose
from perception.bundle import Bundle, Heatmaps, Manifest, PixelBins, default_models_dir, list_bundles
from perception.description import describe
from perception.engines import Engine, open_engine
from perception.errors import BundleError, ImageError, LocalizationError
from perception.estimate import BlockEstimate, ToolEstimate
from perception.geometry import Solution
from perception.keyframe import Keyframe
from perception.posterior import marginal_of_cells
from perception.refinement import SecondLook
from perception.resection import Matches, Resection, resect
from perception.robot import Robot
from perception.sight import LEAST_CONFIDENCE, Frame, Sight, robot_points

Array = NDArray[np.float64]

STAGES = ("coarse", "tool", "fine")
_TOOL_GATE = 5.0  # standard deviations between tool and camera from which the tool's place is not believed
_NEAREST_CLAMP_M = 0.1  # a clamp nearer to the camera than this is not worth a close-up
_ARM_SHARE = 0.9  # of the points that the whole image shows, the enlarged one has to show
_LEAST_TOOL = 0.05  # probability that the clamp is in the image, below which it is not looked for
_LEAST_LEVEL = 0.8  # cosine of the clamp's tilt from pointing straight down


@dataclass(frozen=True)
class View:
    """One image of a named camera, (H, W, 3) uint8 RGB or what `perception.images.prepare` makes that of, and the
    robot's joint positions (9,) when it was taken. Images of one camera have one size."""

    camera: str
    image: images.Image
    joints: Array
    stamp_s: float = 0.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the image in px."""
        height, width = np.shape(self.image)[:2]
        return width, height


@dataclass(frozen=True)
class Network:
    """A bundle's manifest and the engine that runs it."""

    manifest: Manifest
    engine: Engine


class Localizer:
    """The three stages over the networks of one models folder, by heat maps and geometry."""

    OUTPUT: ClassVar[type] = Heatmaps
    SUFFIX: ClassVar[str] = ""  # of the bundles' names
    NEEDS: ClassVar[dict[str, tuple[str, ...]]] = {"coarse": ("coarse",), "tool": ("tool",), "fine": ("tool", "fine")}
    SHARPENS: ClassVar[tuple[str, ...]] = ("block",)  # used by coarse and fine where the folder has it

    def __init__(self, networks: dict[str, Network], robot: Robot | None = None) -> None:
        """networks: by name, those that the stages need (NEEDS), and "block" for a second look. robot: that of their
        manifests."""
        self._networks = networks
        self._robot = robot or Robot.load(next(iter(networks.values())).manifest.robot)

    @classmethod
    def open(
        cls,
        models_dir: str | os.PathLike[str] | None = None,
        engine: str = "auto",
        stages: Sequence[str] = STAGES,
    ) -> Self:
        """Loads the bundles of the stages; raises BundleError or EngineError for what cannot be used."""
        folder = Path(default_models_dir() if models_dir is None else models_dir)
        names = dict.fromkeys(name for stage in stages for name in cls.NEEDS[stage])
        if set(stages) != {"tool"}:
            names |= dict.fromkeys(name for name in cls.SHARPENS if name in list_bundles(folder))
        bundles = {name: Bundle.load(folder / f"{name}{cls.SUFFIX}") for name in names}
        for bundle in bundles.values():
            if not isinstance(bundle.manifest.output, cls.OUTPUT):
                kind = bundle.manifest.output.kind
                raise BundleError(f"{bundle.path} is of another method ({kind}): export it again.")
        robots = {stage: bundle.manifest.robot for stage, bundle in bundles.items()}
        if len(set(robots.values())) > 1:
            named = ", ".join(f"{stage} {robot}" for stage, robot in robots.items())
            raise BundleError(f"the models in {folder} are for different robots ({named}): export them for one.")
        known = [bundle.robot() for bundle in bundles.values()]  # each is checked
        networks = {stage: Network(bundle.manifest, open_engine(bundle, engine)) for stage, bundle in bundles.items()}
        return cls(networks, known[0])

    @property
    def engine_name(self) -> str:
        """What runs the networks, for example "onnxruntime-cpu"."""
        return next(iter(self._networks.values())).engine.name

    @property
    def versions(self) -> dict[str, str]:
        """Version of each bundle in use, by its name."""
        return {one.manifest.name: one.manifest.version for one in self._networks.values()}

    @property
    def robot(self) -> Robot:
        """The robot that the networks know."""
        return self._robot

    def coarse(self, views: Sequence[View], keyframe: Keyframe | None = None) -> BlockEstimate:
        """The block in the base frame, from one or more overviews. keyframe: theirs, where it was made before.

        Raises ImageError or JointStateError for a bad view, LocalizationError where no view gives a camera, or none
        shows the block.
        """
        return self._estimate("coarse", keyframe or self.keyframe(views), self._check(views), np.eye(4))

    def keyframe(self, views: Sequence[View]) -> Keyframe:
        """What overviews show, and the cameras behind them, before the block is looked for. Raises as `coarse`."""
        checked = self._check(views)
        sights = self._look("coarse", checked)
        found = self._cameras(robot_points(sights, self._robot), checked)
        matches = robot_points(sights, self._robot, [one.camera if one else None for one in found])
        return Keyframe.of(checked, sights, matches, found)

    @property
    def can_track(self) -> bool:
        """Whether there is what `track` needs: the network for a second look."""
        return "block" in self._networks

    def track(self, keyframe: Keyframe, views: Sequence[View], starts: Sequence[Pose]) -> BlockEstimate | None:
        """The block in the base frame from later views of cameras that have not moved since the keyframe, where it is
        near to one of the places where it may have been; None where it is not.

        Takes a fraction of the time of `coarse`: neither cameras nor the block are looked for. Raises ImageError or
        JointStateError for a bad view, ValueError for views that do not fit the keyframe, and without `can_track`.
        """
        second_look = self._second_look(keyframe, self._check(views)) if keyframe.fits(views) else None
        if second_look is None:
            raise ValueError("the views are not of the keyframe's cameras, or there is no network for a second look")
        solutions = geometry.follow(keyframe.looks, keyframe.cameras, starts, second_look)
        if not solutions:
            return None
        return self._describe("coarse", keyframe, solutions, np.eye(4), min(view.stamp_s for view in views))

    def tool(self, view: View) -> ToolEstimate:
        """The clamp in one image.

        Raises ImageError or JointStateError for a bad view, LocalizationError where the image does not show the clamp.
        """
        checked = self._check([view])
        sight = self._look("tool", checked)[0]
        manifest = self._networks["tool"].manifest
        pixel, covariance, confidence = sight.peak("clamp")
        density = sight.maps[sight.names.index("clamp")]
        if density.sum() < _LEAST_TOOL:
            raise LocalizationError(f"{view.camera} does not show the clamp: move it into the image.")
        height, width = checked[0].image.shape[:2]
        assert isinstance(manifest.bins, PixelBins)  # the manifest's own check holds this
        u = marginal_of_cells(density.sum(axis=0, dtype=np.float64), width, manifest.bins.u.count)
        v = marginal_of_cells(density.sum(axis=1, dtype=np.float64), height, manifest.bins.v.count)
        return ToolEstimate(
            view.camera, float(pixel[0]), float(pixel[1]), covariance, confidence, u, v, width, height, view.stamp_s,
            self._networks["tool"].engine.name,
        )  # fmt: skip

    def fine(self, views: Sequence[View]) -> BlockEstimate:
        """The block in the clamp frame of views[0], from close-ups of any cameras at any clamp orientations.

        Raises as `coarse` does, and LocalizationError where the clamp of views[0] does not point down.
        """
        checked = self._check(views)
        T_base_clamp = self._robot.clamp_pose(checked[0].joints)
        self._check_clamp(T_base_clamp)
        overviews, matches, first = self._first_cameras(checked)
        usable = {i: found for i, found in enumerate(first) if found and self._shows_clamp(found, checked[i])}
        if not usable:
            raise LocalizationError("the clamp is in front of none of the cameras: move it into the images.")
        arms = self._arms(checked, overviews, usable)
        windows = [self._window(found, checked[i], arms.get(i)) for i, found in usable.items()]
        closeups = dict(zip(usable, self._look("fine", [checked[i] for i in usable], windows), strict=True))
        for i in usable:
            matches[i] = Matches.join([])
        for sights in (arms, closeups):
            points = robot_points(list(sights.values()), self._robot, [usable[i].camera for i in sights])
            for i, own in zip(sights, points, strict=True):
                matches[i] = Matches.join([matches[i], own])
        cameras = self._cameras(matches, checked, first)
        near = [closeups.get(i) for i in range(len(checked))]
        return self._estimate("fine", Keyframe.of(checked, near, matches, cameras), checked, T_base_clamp)

    def _check(self, views: Sequence[View]) -> list[View]:
        if not views:
            raise LocalizationError("no image was given: give at least one.")
        checked = [
            View(
                view.camera,
                images.prepare(view.image, f"the image of {view.camera}"),
                self._robot.check(view.joints),
                view.stamp_s,
            )
            for view in views
        ]
        sizes: dict[str, tuple[int, ...]] = {}
        for view in checked:
            size = view.image.shape[1::-1]
            if sizes.setdefault(view.camera, size) != size:
                first, second = (" x ".join(map(str, sides)) for sides in (sizes[view.camera], size))
                raise ImageError(
                    f"{view.camera} has images of {first} and of {second} px: name the cameras apart, or give one size."
                )
        return checked

    def _check_clamp(self, T_base_clamp: Array) -> None:
        if -T_base_clamp[2, 2] < _LEAST_LEVEL:
            tilt = np.rad2deg(np.arccos(np.clip(-T_base_clamp[2, 2], -1.0, 1.0)))
            raise LocalizationError(
                f"the clamp is tilted by {tilt:.0f} deg from pointing down (limit "
                f"{np.rad2deg(np.arccos(_LEAST_LEVEL)):.0f} deg): move it over the block first."
            )

    def _look(
        self, stage: str, views: Sequence[View], windows: Sequence[crop.Rectangle] | None = None
    ) -> list[Sight]:
        """Runs a stage's network on whole views or on their windows."""
        network = self._networks[stage]
        wanted, output = network.manifest.input, network.manifest.output
        assert isinstance(output, Heatmaps)  # `open` holds this
        if windows is None:
            inputs = [images.resize(view.image, wanted.width, wanted.height) for view in views]
            frames = [Frame.whole(view.image, output) for view in views]
        else:
            inputs = [crop.cut(view.image, window) for view, window in zip(views, windows, strict=True)]
            frames = [Frame.rectangle(window, output) for window in windows]
        maps = np.exp(network.engine.run(np.stack(inputs)))
        return [Sight(view.joints, frame, output, one) for view, frame, one in zip(views, frames, maps, strict=True)]

    def _shows_clamp(self, found: Resection, view: View) -> bool:
        _, depth = found.camera.project(self._robot.clamp_pose(view.joints)[:3, 3])
        return bool(depth > _NEAREST_CLAMP_M)

    def _first_cameras(
        self, views: Sequence[View]
    ) -> tuple[dict[int, Sight], list[Matches], list[Resection | None]]:
        """What whole images show, by view, and what of the robot; the camera of each view, None where they give none.

        The first image of each camera is enough, and its others are looked at where it is not. Raises
        LocalizationError where no camera is found at all.
        """
        names = [view.camera for view in views]
        sights: dict[int, Sight] = {}
        matches = [Matches.join([])] * len(views)
        found: list[Resection | None] = [None] * len(views)
        for wanted in ([i for i, name in enumerate(names) if name not in names[:i]], range(len(views))):
            missing = [i for i in wanted if i not in sights and found[i] is None]
            if not missing:
                continue
            seen = self._look("tool", [views[i] for i in missing])
            for i, sight, own in zip(missing, seen, robot_points(seen, self._robot), strict=True):
                sights[i], matches[i] = sight, own
            found = self._cameras(matches, views, required=len(sights) == len(views))
        return sights, matches, found

    def _arms(
        self, views: Sequence[View], overviews: Mapping[int, Sight], found: Mapping[int, Resection]
    ) -> dict[int, Sight]:
        """Another look at the arm, enlarged, by view: in one image of each camera, for its others show much the same;
        the whole image's where that shows less of the arm than it should."""
        wanted, output = self._networks["tool"].manifest.input, self._networks["tool"].manifest.output
        assert isinstance(output, Heatmaps)  # `open` holds this
        places = [(point.link, point.xyz_m) for channel in output.channels for point in channel.points]
        firsts = {views[i].camera: i for i in reversed(list(found))}
        windows: dict[int, crop.Rectangle] = {}
        for i in sorted(firsts.values()):
            pixels = found[i].camera.project(self._robot.points(views[i].joints, places))[0]
            seen = pixels[np.isfinite(pixels).all(axis=1)]
            size = (views[i].image.shape[1], views[i].image.shape[0])
            windows[i] = crop.arm_window(seen, size, (wanted.width, wanted.height))
        nearer = self._look("tool", [views[i] for i in windows], list(windows.values()))
        arms = dict(zip(windows, nearer, strict=True))
        for i, overview in overviews.items():
            if i in arms and arms[i].share("robot") < _ARM_SHARE * overview.share("robot"):
                arms[i] = overview
        return arms

    def _window(self, found: Resection, view: View, arm: Sight | None) -> crop.Rectangle:
        """The crop around the place of the clamp by its camera, or where a look at the arm has it, if that is
        credible."""
        T_base_clamp = self._robot.clamp_pose(view.joints)
        centre, _ = found.camera.project(T_base_clamp[:3, 3])
        if arm is not None:
            pixel, covariance, confidence = arm.peak("clamp")
            offset = pixel - centre
            spread = covariance + found.pixel_covariance(T_base_clamp[:3, 3])
            if confidence >= LEAST_CONFIDENCE and offset @ np.linalg.solve(spread, offset) < _TOOL_GATE**2:
                centre = pixel
        fine, wanted = self._networks["fine"].manifest.crop, self._networks["fine"].manifest.input
        assert fine is not None  # the manifest's own check holds this
        square = crop.window(found.camera, T_base_clamp, centre, fine.side_m)
        return square.upright(wanted.width)

    def _cameras(
        self,
        matches: Sequence[Matches],
        views: Sequence[View],
        initial: Sequence[Resection | None] | None = None,
        required: bool = True,
    ) -> list[Resection | None]:
        """The camera of each view; views of one camera name share one, from all their matches.

        None where the matches give no camera; where one is required, raises LocalizationError if none of them does.
        """
        groups: dict[str, list[int]] = {}
        for i, view in enumerate(views):
            groups.setdefault(view.camera, []).append(i)
        found: list[Resection | None] = [None] * len(views)
        reasons = []
        for name, members in groups.items():
            height, width = views[members[0]].image.shape[:2]
            start = None if initial is None else initial[members[0]]
            try:
                shared = resect(
                    Matches.join([matches[i] for i in members]),
                    width,
                    height,
                    start.camera if start else None,
                )
            except LocalizationError as error:
                reasons.append(f"{name}: {str(error).rstrip('.')}")
                continue
            for i in members:
                found[i] = shared
        if required and all(one is None for one in found):
            raise LocalizationError("; ".join(reasons) + ".")
        return found

    def _second_look(self, keyframe: Keyframe, views: Sequence[View]) -> SecondLook | None:
        """None without the network for it."""
        second = self._networks.get("block")
        if second is None:
            return None
        run, pictures = second.engine.run, keyframe.pictures(views)
        return SecondLook(second.manifest, run, keyframe.looks, pictures, keyframe.robot)

    def _estimate(self, stage: str, keyframe: Keyframe, views: Sequence[View], T_base_frame: Array) -> BlockEstimate:
        """The block from all views that have a camera; the keyframe is theirs."""
        second_look = self._second_look(keyframe, views)
        solutions = geometry.locate(keyframe.looks, keyframe.cameras, keyframe.robot, second_look=second_look)
        if not solutions:
            evidence = doubts.of_views(keyframe.names, keyframe.sights, keyframe.found, [])
            reasons = "; ".join(dict.fromkeys(one.doubt for one in evidence))
            raise LocalizationError(f"no view shows the block: {reasons}.")
        return self._describe(stage, keyframe, solutions, T_base_frame, keyframe.stamp_s)

    def _describe(
        self,
        stage: str,
        keyframe: Keyframe,
        solutions: Sequence[Solution],
        T_base_frame: Array,
        stamp_s: float,
    ) -> BlockEstimate:
        network, shared = self._networks[stage], "block" not in self._networks
        return describe(
            keyframe, solutions, stage, network.manifest, network.engine.name, T_base_frame, shared, stamp_s
        )
