"""Localizing the block in three stages: coarse from overviews, the tool in the image, fine from close-ups.

Every stage reads dense heat maps. Points of the robot are known in 3-D from the joint angles, so that where
they appear gives the camera (perception.resection); through it, every pixel that may show the block becomes a
score on a grid of the support plane, and the grids of all views add up to one posterior (perception.fusion).
See docs/localization.md.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from perception import crop, heatmaps, images
from perception.bundle import Bundle, Manifest, PixelBins, PoseBins, default_models_dir
from perception.camera import Camera
from perception.engines import Engine, open_engine
from perception.errors import BundleError, LocalizationError
from perception.estimate import BlockEstimate, Posterior, ToolEstimate, height_of_plane
from perception.fusion import Grid, posterior
from perception.resection import Matches, Resection, resect
from perception.robot import Robot
from perception.sight import LEAST_CONFIDENCE, Frame, Seen, plane_scores, robot_matches

Array = NDArray[np.float64]

STAGES = ("coarse", "tool", "fine")
_TOOL_GATE = 5.0  # standard deviations between tool and camera from which the tool's place is not believed
_NEAREST_CLAMP_M = 0.1  # a clamp nearer to the camera than this is not worth a close-up
_LEAST_LEVEL = 0.8  # cosine of the clamp's tilt from pointing straight down


@dataclass(frozen=True)
class View:
    """One image (H, W, 3) uint8 RGB of a named camera, and the robot's joint positions (9,) when it was
    taken."""

    camera: str
    image: images.Image
    joints: Array
    stamp_s: float = 0.0


@dataclass(frozen=True)
class Network:
    """A bundle's manifest and the engine that runs it."""

    manifest: Manifest
    engine: Engine


class Localizer:
    """The three stages over the networks of one models folder."""

    def __init__(self, networks: dict[str, Network], robot: Robot | None = None) -> None:
        """networks: by stage, those that are needed; "fine" needs all three. robot: that of their manifests."""
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
        folder = default_models_dir() if models_dir is None else models_dir
        bundles = {stage: Bundle.load(Path(folder) / stage) for stage in stages}
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
    def robot(self) -> Robot:
        """The robot that the networks know."""
        return self._robot

    def coarse(self, views: Sequence[View]) -> BlockEstimate:
        """The block in the base frame, from one or more overviews.

        Raises ImageError or JointStateError for a bad view, LocalizationError where no view gives a camera.
        """
        checked = self._check(views)
        seen = self._look("coarse", checked)
        cameras = self._cameras([self._matches("coarse", one) for one in seen], checked)
        return self._fuse("coarse", checked, seen, cameras, np.eye(4), _named(checked, cameras))

    def tool(self, view: View) -> ToolEstimate:
        """The clamp in one image. Raises ImageError or JointStateError for a bad view."""
        seen = self._look("tool", self._check([view]))[0]
        manifest = self._networks["tool"].manifest
        density = seen.densities[manifest.channel_index("clamp")]
        pixel, covariance = seen.frame.to_pixels(heatmaps.decode(density))
        height, width = view.image.shape[:2]
        assert isinstance(manifest.bins, PixelBins)  # the manifest's own check holds this
        u = _marginal(density.sum(axis=0, dtype=np.float64), width, manifest.bins.u.count)
        v = _marginal(density.sum(axis=1, dtype=np.float64), height, manifest.bins.v.count)
        return ToolEstimate(
            view.camera, float(pixel[0]), float(pixel[1]), covariance, u, v, width, height, view.stamp_s,
            self._networks["tool"].engine.name,
        )  # fmt: skip

    def fine(self, views: Sequence[View]) -> BlockEstimate:
        """The block in the clamp frame of views[0], from close-ups of any cameras at any clamp orientations.

        Raises as `coarse` does, and LocalizationError where the clamp of views[0] does not point down.
        """
        checked = self._check(views)
        T_base_clamp = self._robot.clamp_pose(checked[0].joints)
        if -T_base_clamp[2, 2] < _LEAST_LEVEL:
            tilt = np.rad2deg(np.arccos(np.clip(-T_base_clamp[2, 2], -1.0, 1.0)))
            raise LocalizationError(
                f"the clamp is tilted by {tilt:.0f} deg from pointing down (limit "
                f"{np.rad2deg(np.arccos(_LEAST_LEVEL)):.0f} deg): move it over the block first."
            )
        overviews = self._look("coarse", checked)
        matches = [self._matches("coarse", one) for one in overviews]
        first = self._cameras(matches, checked)
        usable = [i for i, found in enumerate(first) if found and self._shows_clamp(found, checked[i])]
        if not usable:
            raise LocalizationError("the clamp is in front of none of the cameras: move it into the images.")
        tools = self._look("tool", [checked[i] for i in usable])
        windows = []
        for i, tool in zip(usable, tools, strict=True):
            found = first[i]
            assert found is not None
            matches[i] = Matches.join([matches[i], self._matches("tool", tool, found.camera)])
            clamp = self._robot.clamp_pose(checked[i].joints)
            windows.append(self._window(found, clamp, tool))
        closeups = self._look("fine", [checked[i] for i in usable], windows)
        for i, closeup in zip(usable, closeups, strict=True):
            found = first[i]
            assert found is not None
            matches[i] = Matches.join([matches[i], self._matches("fine", closeup, found.camera)])
        close = [checked[i] for i in usable]
        cameras = self._cameras([matches[i] for i in usable], close, [first[i] for i in usable])
        return self._fuse("fine", checked, closeups, cameras, T_base_clamp, _named(close, cameras))

    def _check(self, views: Sequence[View]) -> list[View]:
        if not views:
            raise LocalizationError("no image was given: give at least one.")
        return [
            View(
                view.camera,
                images.check(view.image, f"the image of {view.camera}"),
                self._robot.check(view.joints),
                view.stamp_s,
            )
            for view in views
        ]

    def _look(self, stage: str, views: Sequence[View], windows: Sequence[crop.Window] | None = None) -> list[Seen]:
        """Runs a stage's network on whole views or on their windows."""
        network = self._networks[stage]
        wanted = network.manifest.input
        if windows is None:
            inputs = [images.resize(view.image, wanted.width, wanted.height) for view in views]
        else:
            inputs = [crop.cut(view.image, window, wanted.width) for view, window in zip(views, windows, strict=True)]
        densities = heatmaps.density(network.engine.run(np.stack(inputs)))
        if windows is None:
            frames = [Frame.whole(view.image, one) for view, one in zip(views, densities, strict=True)]
        else:
            frames = [Frame.window(window, one) for window, one in zip(windows, densities, strict=True)]
        return [Seen(view.joints, frame, one) for view, frame, one in zip(views, frames, densities, strict=True)]

    def _matches(self, stage: str, seen: Seen, camera: Camera | None = None) -> Matches:
        return robot_matches(seen, self._networks[stage].manifest.output.channels, self._robot, camera)

    def _shows_clamp(self, found: Resection, view: View) -> bool:
        _, depth = found.camera.project(self._robot.clamp_pose(view.joints)[:3, 3])
        return bool(depth > _NEAREST_CLAMP_M)

    def _window(self, found: Resection, T_base_clamp: Array, tool: Seen) -> crop.Window:
        """The crop around the tool's place in the image, or around the camera's where the tool's is not
        credible."""
        manifest = self._networks["tool"].manifest
        peak = heatmaps.decode(tool.densities[manifest.channel_index("clamp")])
        pixel, covariance = tool.frame.to_pixels(peak)
        predicted, _ = found.camera.project(T_base_clamp[:3, 3])
        offset = pixel - predicted
        spread = covariance + found.pixel_covariance(T_base_clamp[:3, 3])
        credible = peak.confidence >= LEAST_CONFIDENCE and offset @ np.linalg.solve(spread, offset) < _TOOL_GATE**2
        fine = self._networks["fine"].manifest.crop
        assert fine is not None  # the manifest's own check holds this
        return crop.window(found.camera, T_base_clamp, pixel if credible else predicted, fine.side_m)

    def _cameras(
        self,
        matches: Sequence[Matches],
        views: Sequence[View],
        initial: Sequence[Resection | None] | None = None,
    ) -> list[Resection | None]:
        """The camera of each view; views of one camera name and image size share one, from all their matches.

        None where the matches give no camera; raises LocalizationError where none of them does.
        """
        groups: dict[tuple[str, int, int], list[int]] = {}
        for i, view in enumerate(views):
            height, width = view.image.shape[:2]
            groups.setdefault((view.camera, width, height), []).append(i)
        found: list[Resection | None] = [None] * len(views)
        reasons = []
        for (name, width, height), members in groups.items():
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
        if all(one is None for one in found):
            raise LocalizationError("; ".join(reasons) + ".")
        return found

    def _fuse(
        self,
        stage: str,
        views: Sequence[View],
        seen: Sequence[Seen],
        cameras: Sequence[Resection | None],
        T_base_frame: Array,
        by_name: dict[str, Camera],
    ) -> BlockEstimate:
        """Adds up the log-scores of all views that have a camera, and reads the pose off the posterior."""
        network = self._networks[stage]
        manifest = network.manifest
        assert isinstance(manifest.bins, PoseBins)  # the manifest's own check holds this
        grid = Grid.of(manifest.bins)
        x, y = grid.places()
        in_frame = np.stack([x, y, height_of_plane(T_base_frame, x, y)], axis=-1)
        plane = in_frame @ T_base_frame[:3, :3].T + T_base_frame[:3, 3]
        used = [(one, found) for one, found in zip(seen, cameras, strict=True) if found is not None]
        channels = [manifest.channel_index(name) for name in ("block_centre", "block_ends")]
        # What a camera is off by, it is off by for the centre and the ends alike. So they do not count as
        # three witnesses of the place, which is read off the centre alone; the ends tell the yaw, with every
        # view moved to where the centre was found.
        (centres,) = np.sum([plane_scores(one, channels[:1], found, plane) for one, found in used], axis=0)
        fused = posterior(grid, centres, np.zeros_like(centres))
        place = np.array([fused.x_m, fused.y_m, height_of_plane(T_base_frame, fused.x_m, fused.y_m)])
        in_base = T_base_frame[:3, :3] @ place + T_base_frame[:3, 3]
        aligned = [plane_scores(one, channels, found, plane, in_base) for one, found in used]
        turned = posterior(grid, *np.sum(aligned, axis=0))
        covariance = np.zeros((3, 3))
        covariance[:2, :2] = fused.covariance[:2, :2]
        covariance[2, 2] = turned.covariance[2, 2]
        return BlockEstimate(
            stage=stage,
            frame=manifest.frame,
            x_m=fused.x_m,
            y_m=fused.y_m,
            z_m=float(place[2]),
            yaw_rad=turned.yaw_rad,
            covariance=covariance,
            length_m=turned.length_m,
            x=fused.x,
            y=fused.y,
            yaw=turned.yaw,
            views=tuple(view.camera for view in views),
            cameras=by_name,
            stamp_s=min(view.stamp_s for view in views),
            engine=network.engine.name,
            T_base_frame=T_base_frame,
        )


def _named(views: Sequence[View], cameras: Sequence[Resection | None]) -> dict[str, Camera]:
    return {view.camera: found.camera for view, found in zip(views, cameras, strict=True) if found is not None}


def _marginal(mass: Array, size_px: int, count: int) -> Posterior:
    """Posterior over `count` bins of an image side, from the mass in evenly spaced cells of that side."""
    cumulated = np.concatenate([[0.0], np.cumsum(mass)]) / mass.sum()
    edges = np.linspace(0.0, 1.0, count + 1)
    shares = np.diff(np.interp(edges, np.linspace(0.0, 1.0, len(cumulated)), cumulated))
    return Posterior((edges[:-1] + edges[1:]) / 2 * size_px, shares)
