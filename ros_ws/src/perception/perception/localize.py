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
from perception.bundle import Bundle, Channel, Manifest, PixelBins, PoseBins, default_models_dir
from perception.camera import Camera
from perception.engines import Engine, open_engine
from perception.errors import LocalizationError
from perception.estimate import BlockEstimate, Posterior, ToolEstimate, height_of_plane
from perception.fusion import Grid, posterior
from perception.resection import Matches, Resection, resect
from perception.robot import Robot

Array = NDArray[np.float64]

STAGES = ("coarse", "tool", "fine")
LEAST_CONFIDENCE = 0.2  # heat maps less peaked than this place no point of the robot
_TOOL_GATE = 5.0  # standard deviations between tool and camera from which the tool's place is not believed
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


@dataclass(frozen=True)
class _Frame:
    """What a heat map covers: the window of the image (u0, v0, width, height in px) and its cells."""

    corner: Array
    size: Array
    cells: Array

    @classmethod
    def whole(cls, view: View, manifest: Manifest) -> Self:
        height, width = view.image.shape[:2]
        return cls(np.zeros(2), np.array([width, height]), _cells(manifest))

    @classmethod
    def window(cls, window: crop.Window, manifest: Manifest) -> Self:
        return cls(np.array([window.u0, window.v0]), np.full(2, window.side), _cells(manifest))

    @property
    def cell_px(self) -> Array:
        return self.size / self.cells

    def to_cells(self, pixels: Array) -> Array:
        return np.asarray((pixels - self.corner) / self.cell_px)

    def to_pixels(self, peak: heatmaps.Peak) -> tuple[Array, Array]:
        """Place (2,) and covariance (2, 2) of a peak in px of the image."""
        return peak.place * self.cell_px + self.corner, peak.covariance * np.outer(self.cell_px, self.cell_px)


@dataclass(frozen=True)
class _Seen:
    """The heat maps of one view as densities, and what they cover."""

    view: View
    frame: _Frame
    densities: heatmaps.Map


class Localizer:
    """The three stages over the networks of one models folder."""

    def __init__(self, networks: dict[str, Network]) -> None:
        """networks: by stage, those that are needed; "fine" needs all three."""
        self._networks = networks
        self._robot = Robot.load(next(iter(networks.values())).manifest.robot)

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
        return cls(
            {
                stage: Network(bundle.manifest, open_engine(bundle, engine))
                for stage, bundle in bundles.items()
            }
        )

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
        return self._fuse("coarse", checked, seen, cameras, np.eye(4))

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
        usable = [i for i, found in enumerate(first) if found is not None]
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
        cameras = self._cameras(
            [matches[i] for i in usable], [checked[i] for i in usable], [first[i] for i in usable]
        )
        return self._fuse("fine", checked, closeups, cameras, T_base_clamp)

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

    def _look(
        self, stage: str, views: Sequence[View], windows: Sequence[crop.Window] | None = None
    ) -> list[_Seen]:
        """Runs a stage's network on whole views or on their windows."""
        network = self._networks[stage]
        wanted = network.manifest.input
        if windows is None:
            inputs = [images.resize(view.image, wanted.width, wanted.height) for view in views]
            frames = [_Frame.whole(view, network.manifest) for view in views]
        else:
            inputs = [
                crop.cut(view.image, window, wanted.width)
                for view, window in zip(views, windows, strict=True)
            ]
            frames = [_Frame.window(window, network.manifest) for window in windows]
        densities = heatmaps.density(network.engine.run(np.stack(inputs)))
        return [_Seen(*parts) for parts in zip(views, frames, densities, strict=True)]

    def _matches(self, stage: str, seen: _Seen, camera: Camera | None = None) -> Matches:
        """Points of the robot that the heat maps place clearly; two-mode channels only where a camera tells
        them apart."""
        points, pixels, covariances = [], [], []
        for channel, density in zip(
            self._networks[stage].manifest.output.channels, seen.densities, strict=True
        ):
            if channel.kind != "robot" or (channel.modes == 2 and camera is None):
                continue
            places = self._robot.points(
                seen.view.joints, [(point.link, point.xyz_m) for point in channel.points]
            )
            for place, peak in zip(
                places, self._peaks(channel, density, seen.frame, places, camera), strict=True
            ):
                if peak.confidence >= LEAST_CONFIDENCE:
                    pixel, covariance = seen.frame.to_pixels(peak)
                    points.append(place)
                    pixels.append(pixel)
                    covariances.append(covariance)
        return Matches(
            np.reshape(points, (-1, 3)), np.reshape(pixels, (-1, 2)), np.reshape(covariances, (-1, 2, 2))
        )

    def _peaks(
        self, channel: Channel, density: heatmaps.Map, frame: _Frame, places: Array, camera: Camera | None
    ) -> tuple[heatmaps.Peak, ...]:
        if channel.modes == 1 or camera is None:
            return (heatmaps.decode(density),)
        pixels, _ = camera.project(places)
        if not np.isfinite(pixels).all():
            return ()
        return heatmaps.decode_pair(density, frame.to_cells(pixels))

    def _window(self, found: Resection, T_base_clamp: Array, tool: _Seen) -> crop.Window:
        """The crop around the tool's place in the image, or around the camera's where the tool's is not
        credible."""
        manifest = self._networks["tool"].manifest
        peak = heatmaps.decode(tool.densities[manifest.channel_index("clamp")])
        pixel, covariance = tool.frame.to_pixels(peak)
        predicted, _ = found.camera.project(T_base_clamp[:3, 3])
        offset = pixel - predicted
        spread = covariance + found.pixel_covariance(T_base_clamp[:3, 3])
        credible = (
            peak.confidence >= LEAST_CONFIDENCE and offset @ np.linalg.solve(spread, offset) < _TOOL_GATE**2
        )
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
        seen: Sequence[_Seen],
        cameras: Sequence[Resection | None],
        T_base_frame: Array,
    ) -> BlockEstimate:
        """Adds up the log-scores of all views that have a camera, and reads the pose off the posterior."""
        network = self._networks[stage]
        manifest = network.manifest
        assert isinstance(manifest.bins, PoseBins)  # the manifest's own check holds this
        grid = Grid.of(manifest.bins)
        x, y = grid.places()
        in_frame = np.stack([x, y, height_of_plane(T_base_frame, x, y)], axis=-1)
        plane = in_frame @ T_base_frame[:3, :3].T + T_base_frame[:3, 3]
        totals = np.zeros((2, *x.shape), dtype=np.float32)
        used = [(one, found) for one, found in zip(seen, cameras, strict=True) if found is not None]
        for one, found in used:
            channels = [manifest.channel_index(name) for name in ("block_centre", "block_ends")]
            totals += _plane_scores(one.densities[channels], one.frame, found, plane)
        fused = posterior(grid, totals[0], totals[1])
        z = float(height_of_plane(T_base_frame, np.array(fused.x_m), np.array(fused.y_m)))
        return BlockEstimate(
            stage=stage,
            frame=manifest.frame,
            x_m=fused.x_m,
            y_m=fused.y_m,
            z_m=z,
            yaw_rad=fused.yaw_rad,
            covariance=fused.covariance,
            length_m=fused.length_m,
            x=fused.x,
            y=fused.y,
            yaw=fused.yaw,
            views=tuple(view.camera for view in views),
            cameras={one.view.camera: found.camera for one, found in used},
            stamp_s=min(view.stamp_s for view in views),
            engine=network.engine.name,
            T_base_frame=T_base_frame,
        )


def _plane_scores(densities: heatmaps.Map, frame: _Frame, found: Resection, plane: Array) -> heatmaps.Map:
    """Log-scores (2, ny, nx) of the plane's points (ny, nx, 3) in the densities of the block's centre and
    ends.

    They are first smeared by how uncertain the camera is about a point where the block seems to be.
    """
    cells = frame.to_cells(found.camera.project(plane)[0])
    sharp = heatmaps.log_scores(densities[0], cells)
    likely = plane[np.unravel_index(int(np.argmax(sharp)), sharp.shape)]
    sigma = np.sqrt(np.diag(found.pixel_covariance(likely))) / frame.cell_px
    return np.stack([heatmaps.log_scores(heatmaps.blur(density, sigma), cells) for density in densities])


def _cells(manifest: Manifest) -> Array:
    return np.array([manifest.output.width, manifest.output.height])


def _marginal(mass: Array, size_px: int, count: int) -> Posterior:
    """Posterior over `count` bins of an image side, from the mass in evenly spaced cells of that side."""
    cumulated = np.concatenate([[0.0], np.cumsum(mass)]) / mass.sum()
    edges = np.linspace(0.0, 1.0, count + 1)
    shares = np.diff(np.interp(edges, np.linspace(0.0, 1.0, len(cumulated)), cumulated))
    return Posterior((edges[:-1] + edges[1:]) / 2 * size_px, shares)
