"""The summary and the report of fabricated episodes, failures among them."""

import json
import math
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from blockworld.demo.episodes import Episode, Summary
from blockworld.demo.report import write_report

FIELDS = {"coarse_error_m", "fine_error_m", "yaw_error_rad", "success", "message", "duration_s"}
TRUTH = {"x_m": 0.5, "y_m": 0.1, "z_m": 0.0, "yaw_rad": 0.02}


def estimate(dx_m: float, dy_m: float, dyaw_rad: float) -> dict:
    return {
        "x_m": TRUTH["x_m"] + dx_m,
        "y_m": TRUTH["y_m"] + dy_m,
        "z_m": 0.0,
        "yaw_rad": (TRUTH["yaw_rad"] + dyaw_rad) % math.pi,
        "sigma_x_m": 0.003,
        "sigma_y_m": 0.004,
        "sigma_yaw_rad": 0.03,
        "size_m": [0.09, 0.04, 0.045],
        "confidence": 0.9,
        "doubts": [],
        "engine": "onnxruntime-cpu",
        "views": 3,
        "truth": TRUTH,
    }


def event(index: int, **changes) -> dict:
    """What the runner tells of a pick that went well, with changes."""
    return {
        "index": index,
        "success": True,
        "message": "",
        "duration_s": 12.5,
        "last_step": "lift",
        "coarse": estimate(0.006, -0.008, -0.05),
        "fine": estimate(0.0, 0.002, 0.01),
        "pictures": {},
        **changes,
    }


@pytest.fixture
def run(tmp_path) -> Summary:
    """Three episodes: picked, no fine estimate, no estimate at all."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    image = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
    cv2.imwrite(str(pictures / "a.jpg"), image)
    events = [
        event(0, pictures={"coarse": {"camera_1": "a.jpg", "camera_2": "lost.jpg"}, "fine": {}, "final": {}}),
        event(1, success=False, fine=None, message="hover: the arm does not reach <there> & stops."),
        event(2, success=False, coarse=None, fine=None, last_step=None, message="coarse: no camera."),
    ]
    return Summary.of([Episode.from_event(one) for one in events], seed=3, wall_s=61.2)


def test_errors_are_horizontal_distances_and_yaw_is_modulo_half_a_turn(run):
    good, half, none = run.episodes
    assert good.coarse_error_m == pytest.approx(0.010)
    assert good.fine_error_m == pytest.approx(0.002)
    assert good.yaw_error_rad == pytest.approx(0.01), "of the fine estimate"
    assert half.yaw_error_rad == pytest.approx(0.05), "of the coarse one, across the end of the half turn"
    assert (half.fine_error_m, none.coarse_error_m, none.yaw_error_rad) == (None, None, None)


def test_the_summary_averages_what_there_is(run):
    assert run.success_rate == pytest.approx(1 / 3)
    assert run.engine == "onnxruntime-cpu"
    assert run.mean_coarse_error_m == pytest.approx(0.010)
    assert run.mean_fine_error_m == pytest.approx(0.002)
    assert run.median_yaw_error_rad == pytest.approx(0.03)


def test_summary_json_holds_what_scripts_rely_on(run, tmp_path):
    run.write(tmp_path / "summary.json")
    data = json.loads((tmp_path / "summary.json").read_text())
    assert data["success_rate"] == pytest.approx(1 / 3)
    assert data["engine"] == "onnxruntime-cpu"
    assert len(data["episodes"]) == data["episode_count"] == 3
    for episode in data["episodes"]:
        assert set(episode) >= FIELDS
    assert data["episodes"][1]["fine_error_m"] is None


def test_a_run_without_estimates_has_no_averages():
    failed = Episode.from_event(event(0, success=False, coarse=None, fine=None))
    summary = Summary.of([failed], seed=0, wall_s=1.0)
    assert (summary.success_rate, summary.mean_coarse_error_m, summary.engine) == (0.0, None, None)
    assert Summary.of([], seed=0, wall_s=1.0).success_rate is None


class Page(HTMLParser):
    """Tags that are open at the end, what links point to, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def page_of(run, tmp_path) -> Page:
    write_report(run, tmp_path / "pictures", tmp_path / "report.html")
    page = Page()
    page.feed((tmp_path / "report.html").read_text(encoding="utf-8"))
    return page


def test_the_report_is_whole_and_needs_no_other_file(run, tmp_path):
    page = page_of(run, tmp_path)
    assert page.open == []
    assert len(page.links) == 1, "one picture; the lost one is left out"
    assert page.links[0].startswith("data:image/jpeg;base64,")
    assert not re.search(r"https?://", page.text)


def test_the_report_tells_errors_and_why_not(run, tmp_path):
    text = " ".join(page_of(run, tmp_path).text.split())
    assert "1 of 3 blocks picked" in text
    assert "coarse 10.0 mm fine 2.0 mm yaw 0.6 deg" in text
    assert "fine – mm" in text
    assert "hover: the arm does not reach <there> & stops." in text, "escaped, so that it is shown as it is"
