"""Runs pick episodes against a graph that is up and tells what happened, one JSON object per line of stdout.

A program that must not import rclpy, as the demo, starts this as a process of its own and reads its lines:

    {"event": "ready"}                                    every node answers
    {"event": "step", "index": 0, "step": "coarse", "message": "..."}
    {"event": "episode", "index": 0, "success": true, "coarse": {...}, "fine": {...}, "truth": {...}, ...}
    {"event": "done"}
    {"event": "failed", "message": "..."}                 the graph does not work; exit code 1

Poses are in the base frame, metres and radians. Pictures are written to a folder and named relative to it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image

from perception.errors import BlockworldError
from perception.image_messages import image_from_message
from perception.nodes.client import Client
from perception.nodes.messages import block_in_base_of, stamp_ns, transform_of, yaw_of

LATCHED = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
JPEG_QUALITY = 85
FINAL_PICTURES_S = 20.0
LIFTED_M = 0.05


class EpisodeRunner:
    """Asks for one episode after another, and keeps the truth and the pictures that come by meanwhile."""

    def __init__(self, client: Client, cameras: list[str], pictures: Path) -> None:
        self._client = client
        self._cameras = cameras
        self._pictures = pictures
        self._truths: list[tuple[int, np.ndarray]] = []
        self._overlays: list[tuple[str, Image]] = []
        client.node.create_subscription(PoseStamped, "/sim_world/truth", self._on_truth, LATCHED)
        for camera in cameras:
            client.node.create_subscription(
                Image, f"/localizer/overlay/{camera}", lambda m, c=camera: self._overlays.append((c, m)), 10
            )

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait for the world, the localizer and the picking node; raises BlockworldError with what lacks."""
        deadline = time.monotonic() + timeout_s
        if not self._client.spin_until(lambda: bool(self._truths), timeout_s):
            raise BlockworldError(f"the simulated world published nothing within {timeout_s:g} s.")
        for node in ("sim_world", "localizer", "pick"):
            self._client.wait_for_state("active", node, timeout_s=max(1.0, deadline - time.monotonic()))

    def run(self, seed: int, index: int, timeout_s: float) -> dict[str, Any]:
        """One episode: reset, pick, and what came of it."""
        self._truths.clear()
        self._overlays.clear()
        self._client.reset(seed, index)
        if not self._client.spin_until(lambda: bool(self._truths), 30.0):
            raise BlockworldError("the simulated world tells no truth after its reset.")
        steps: list[str] = []

        def on_feedback(feedback: Any) -> None:
            steps.append(feedback.step)
            tell("step", index=index, step=feedback.step, message=feedback.message)

        result = self._client.pick(self._cameras, timeout_s, on_feedback)
        final = self._final_pictures()
        lifted = self._truths[-1][1][2, 3] > LIFTED_M
        message = result.message
        if result.success and not lifted:
            message = "the picking node took the block for held, but it is not lifted."
        return {
            "index": index,
            "success": bool(result.success and lifted),
            "message": message,
            "duration_s": result.duration_s,
            "last_step": steps[-1] if steps else None,
            "coarse": self._estimate(result.coarse),
            "fine": self._estimate(result.fine),
            "pictures": {
                "coarse": self._save(index, "coarse", self._overlays_of(result.coarse)),
                "fine": self._save(index, "fine", self._overlays_of(result.fine)),
                "final": self._save(index, "final", final),
            },
        }

    def _on_truth(self, message: PoseStamped) -> None:
        self._truths.append((stamp_ns(message.header.stamp), transform_of(message.pose)))

    def _estimate(self, message: Any) -> dict[str, Any] | None:
        """An estimate in the base frame with the truth of its time, None for an empty message."""
        if not message.stage:
            return None
        pose = block_in_base_of(message)
        covariance = np.array(message.pose.covariance).reshape(6, 6)
        taken_ns = stamp_ns(message.header.stamp)
        before = [truth for stamp, truth in self._truths if stamp <= taken_ns]
        return {
            **_place(pose),
            "sigma_x_m": float(np.sqrt(covariance[0, 0])),
            "sigma_y_m": float(np.sqrt(covariance[1, 1])),
            "sigma_yaw_rad": float(np.sqrt(covariance[5, 5])),
            "size_m": [message.size.x, message.size.y, message.size.z],
            "confidence": message.confidence,
            "doubts": [*message.doubts, *(one.doubt for one in message.evidence if one.doubt)],
            "engine": message.engine,
            "views": len(message.views),
            "truth": _place(before[-1] if before else self._truths[0][1]),
        }

    def _overlays_of(self, message: Any) -> dict[str, Image]:
        """The overlay pictures that go with an estimate, by camera."""
        stamps = {stamp_ns(stamp) for stamp in message.stamps}
        return {c: picture for c, picture in self._overlays if stamp_ns(picture.header.stamp) in stamps}

    def _final_pictures(self) -> dict[str, Image]:
        """One picture of each camera from after the call, of those that come in time."""
        now_ns = self._client.node.get_clock().now().nanoseconds
        found: dict[str, Image] = {}

        def keep(camera: str, message: Image) -> None:
            if stamp_ns(message.header.stamp) > now_ns:
                found.setdefault(camera, message)

        node = self._client.node
        subscriptions = [
            node.create_subscription(Image, f"/{camera}/image_raw", lambda m, c=camera: keep(c, m), 1)
            for camera in self._cameras
        ]
        self._client.spin_until(lambda: len(found) == len(self._cameras), FINAL_PICTURES_S)
        for subscription in subscriptions:
            node.destroy_subscription(subscription)
        return found

    def _save(self, index: int, kind: str, pictures: dict[str, Image]) -> dict[str, str]:
        names = {}
        for camera, message in sorted(pictures.items()):
            name = f"episode-{index:03d}-{kind}-{camera}.jpg"
            picture = image_from_message(message)[..., ::-1]
            cv2.imwrite(str(self._pictures / name), picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            names[camera] = name
        return names


def tell(event: str, **values: Any) -> None:
    """Write one line of JSON."""
    print(json.dumps({"event": event, **values}), flush=True)


def _place(T_base_block: np.ndarray) -> dict[str, float]:
    x, y, z = (float(value) for value in T_base_block[:3, 3])
    return {"x_m": x, "y_m": y, "z_m": z, "yaw_rad": yaw_of(T_base_block) % float(np.pi)}


def main() -> None:
    """Run the episodes that the command line asks for."""
    parser = argparse.ArgumentParser(description="Runs pick episodes against a graph that is up.")
    parser.add_argument("--episodes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cameras", default="camera_1,camera_2,camera_3")
    parser.add_argument("--pictures", type=Path, required=True, help="folder for the pictures; it must exist")
    parser.add_argument("--ready-timeout-s", type=float, default=120.0)
    parser.add_argument("--episode-timeout-s", type=float, default=300.0)
    arguments = parser.parse_args()
    try:
        with Client("episode_runner") as client:
            runner = EpisodeRunner(client, arguments.cameras.split(","), arguments.pictures)
            runner.wait_until_ready(arguments.ready_timeout_s)
            tell("ready")
            for index in range(arguments.episodes):
                tell("episode", **runner.run(arguments.seed, index, arguments.episode_timeout_s))
            tell("done")
    except BlockworldError as error:
        tell("failed", message=str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
