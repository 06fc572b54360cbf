"""The page of a data set holds its images, their labels, and nothing from elsewhere."""

import json
import re

import numpy as np
import pytest
from fixtures_dataset import changed

from sim.dataset import build, read_samples
from sim.dataset.contact_sheet import card, write_contact_sheet


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data <b>")
    list(build(changed(), folder))
    return folder


def test_the_page_needs_no_other_file(data, tmp_path):
    assert write_contact_sheet(data, tmp_path / "page.html", 300) == 10
    page = (tmp_path / "page.html").read_text()
    assert not re.findall(r"""(?:src|href)=["'](?!\$\{|data:)""", page)
    assert "://" not in page
    assert "data &lt;b&gt;" in page and "data <b>" not in page
    cards = json.loads(re.search(r"^const CARDS = (.*);$", page, re.MULTILINE)[1])
    assert [entry["key"] for entry in cards] == [sample.key for sample in read_samples(data)]


def test_a_large_data_set_is_thinned_evenly(data, tmp_path):
    assert write_contact_sheet(data, tmp_path / "page.html", 3) == 3
    cards = json.loads(re.search(r"^const CARDS = (.*);$", (tmp_path / "page.html").read_text(), re.MULTILINE)[1])
    assert [entry["key"] for entry in cards] == ["0000000-0", "0000002-0", "0000004-1"]


def test_a_card_shows_the_labels_where_they_are(data):
    sample = next(iter(read_samples(data)))
    entry = card(sample)
    centre = next(point for point in entry["points"] if point["name"] == "block_centre")
    record = next(c for c in sample.record["keypoints"] if c["name"] == "block_centre")
    np.testing.assert_allclose(np.array(centre["at"]) * 48, record["px"][0], atol=0.01)
    bottom = np.array(entry["box"][:4]).mean(0)
    np.testing.assert_allclose(bottom, centre["at"], atol=0.02)
    assert entry["size_mm"] == [round(1000 * side) for side in sample.record["block"]["size_m"]]
