"""The same configuration goes on to mean the same images, or FORMAT tells that it does not."""

import hashlib
import json
from dataclasses import asdict

import cv2
import numpy as np
import pytest
from fixtures_dataset import changed

from sim.dataset import Studio
from sim.dataset.config import FORMAT
from sim.randomization import PRESETS

# By format, robot and preset. Records hold the robot's keypoints: another digest of the robot, and it is another entry.
KNOWN = {
    (4, "f63102538c69d5ef", "adv"): (
        "bd5f8546adc471d5",
        "47402e44423d4544495d5f2d3b3631322e2a413e366466263b382e45403a39332c6c6c2f423f383c352f443c356a6a2d",
    ),
    (4, "f63102538c69d5ef", "field"): (
        "f7f0f07868693d42",
        "322b18312f29353434332b162c28192a2a20342f24332c182b2616322f202b2411322b183c311b40351f3a301b332c19",
    ),
    (4, "f63102538c69d5ef", "lab"): (
        "fe6bee7410a7b4e1",
        "6966625957566466684e4e4f706c67686b6d5353545655536c69645e5c595958556a6762706c676764605c5b5864635e",
    ),
    (4, "f63102538c69d5ef", "train"): (
        "e09cfd65e9268c08",
        "47402e44423a4545475d5f2d322c2837372d4343346466263e3a36403e3939352d6c6c2f35322b3a332e443c356a6a2d",
    ),
}
"""By format and preset: the digest of scene and record, and the colours of 4 x 4 fields of the picture."""
TOLERANCE = 6
"""Of a colour of 255: processors differ by less, another mesh, lens or sensor by more."""


@pytest.mark.parametrize("preset", PRESETS)
def test_what_a_configuration_draws_is_that_of_its_format(preset):
    studio = Studio(changed(preset=preset, randomization={}, views=1))
    scene = studio.scene(0)
    (picture,) = studio.photograph(scene)
    text = json.dumps([rounded(asdict(scene)), rounded(picture.record)], sort_keys=True)
    drawn = hashlib.sha256(text.encode()).hexdigest()[:16]
    fields = cv2.resize(picture.frame.rgb, (4, 4), interpolation=cv2.INTER_AREA)
    key = (FORMAT, studio.description.digest, preset)
    entry = f"{key}: {(drawn, fields.tobytes().hex())}"
    known = KNOWN.get(key, ("", bytes(48).hex()))
    difference = fields - np.frombuffer(bytes.fromhex(known[1]), np.uint8).reshape(fields.shape).astype(int)
    assert drawn == known[0] and abs(difference).max() <= TOLERANCE, (
        f"raise FORMAT if the robot is as it was, and add to KNOWN {entry}"
    )


def rounded(value):
    """Without the last digits, in which processors differ."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [rounded(item) for item in value]
    return round(float(value), 3) + 0.0 if isinstance(value, float | np.floating) else value
