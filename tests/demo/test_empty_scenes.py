"""The shipped networks on scenes that lack something: they lower the confidence, and say so."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from perception.errors import LocalizationError
from perception.localize import Localizer
from sim.protocol import cases, pictures
from sim.randomization import preset
from sim.renderers import open_renderer
from sim.scene import BLOCK, ROBOT

MODELS = Path(__file__).resolve().parents[2] / "models"
CASES = 4


@pytest.fixture(scope="module")
def renderer():
    return open_renderer("gl")


@pytest.fixture(scope="module")
def localizer():
    return Localizer.open(MODELS)


@pytest.fixture(scope="module")
def scenes(renderer):
    """Cases of preset lab, which no training image came from."""
    return list(cases(60_001, CASES, renderer, preset("lab"), postures=("overview",)))


def confidence(localizer, views):
    """Of an estimate, and its doubts; 0 and the message where there is none."""
    try:
        found = localizer.coarse(views)
    except LocalizationError as error:
        return 0.0, str(error)
    return found.confidence, "; ".join(one.doubt for one in found.evidence if one.doubt)


def test_a_scene_without_the_block_is_told_from_one_with_it(localizer, scenes, renderer):
    full, empty = [], []
    for case in scenes:
        full.append(confidence(localizer, case.views["overview"])[0])
        gone = replace(case.scene, absent=(BLOCK,), joints=case.views["overview"][0].joints)
        sure, said = confidence(localizer, pictures(gone, renderer))
        empty.append(sure)
        assert "the block" in said
    assert np.median(empty) < 0.2 < np.median(full)


def test_one_view_without_the_block_lowers_the_confidence(localizer, scenes, renderer):
    case = scenes[0]
    views = list(case.views["overview"])
    whole, _ = confidence(localizer, views)
    gone = replace(case.scene, absent=(BLOCK,), joints=views[0].joints)
    views[1] = pictures(gone, renderer)[1]
    less, said = confidence(localizer, views)
    assert less < whole and "camera_2" in said


def test_a_scene_without_the_robot_gives_no_camera(localizer, scenes, renderer):
    refused = 0
    for case in scenes:
        gone = replace(case.scene, absent=(ROBOT,), joints=case.views["overview"][0].joints)
        sure, said = confidence(localizer, pictures(gone, renderer))
        refused += sure == 0.0 and "robot" in said
    assert refused == CASES
