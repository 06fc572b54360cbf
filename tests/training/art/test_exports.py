"""What was found, as other programs read it: numbers that are right, names that are escaped."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

from training.art.annotations import Region
from training.art.clusters import Cluster
from training.art.exports import (
    Hit,
    Place,
    cluster_annotations,
    cluster_json,
    cluster_table,
    search_annotations,
    search_json,
    search_table,
)
from training.art.mining import Detail
from training.art.panels import CONTEXT, Panel, cut_out, reduced, side_by_side
from training.art.pictures import Picture

QUERY = Place("a b/Skizze #1.jpg", (10.4, 20.6, 99.5, 50.0))
HITS = [
    Hit(Place('c,"d".png', (0.2, 0.2, 0.3, 700.0)), 1.25, True, ((0.1, 0.2, 0.3, 0.4),)),
    Hit(Place("e.png", (5.0, 6.0, 7.0, 8.0)), 0.75, False, ()),
]
NAMES = {"k1": "one.jpg", "k2": "zwölf?.jpg", "k3": "three.jpg"}
BOX = (1.0, 2.0, 30.0, 40.0)


@pytest.fixture
def cluster():
    details = tuple(
        Detail(a, b, score, BOX, BOX, ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), ((0.1, 0.2, 0.3, 0.4),))
        for a, b, score in (("k1", "k2", 0.2), ("k2", "k3", 0.1))
    )
    return Cluster(tuple(Region(key, BOX) for key in NAMES), details)


def test_a_table_has_a_row_for_each_result_in_whole_px():
    rows = list(csv.DictReader(io.StringIO(search_table(HITS))))
    assert rows[0] == {
        "rank": "1", "picture": 'c,"d".png', "x": "0", "y": "0", "w": "1", "h": "700", "score": "1.2500",
        "verified": "yes", "mirrored": "no",
    }
    assert rows[1]["verified"] == "no" and len(rows) == 2


def test_json_has_the_points_that_agree():
    found = search_json(QUERY, HITS)
    assert found["query"] == {"picture": QUERY.picture, "box": [10.4, 20.6, 99.5, 50.0]}
    assert found["results"][0]["points"] == [[0.1, 0.2, 0.3, 0.4]] and found["results"][1]["score"] == 0.75


def test_annotations_link_media_fragments_of_escaped_addresses():
    page = search_annotations(QUERY, HITS, "https://x.example/")
    assert page["@context"] == "http://iiif.io/api/presentation/3/context.json" and page["type"] == "AnnotationPage"
    first = page["items"][0]
    assert first["type"] == "Annotation" and first["motivation"] == "linking"
    assert first["target"]["source"] == "https://x.example/c%2C%22d%22.png"
    assert first["target"]["selector"] == {
        "type": "FragmentSelector", "conformsTo": "http://www.w3.org/TR/media-frags/", "value": "xywh=0,0,1,700",
    }
    assert first["body"][0]["source"] == "https://x.example/a%20b/Skizze%20%231.jpg"
    assert first["body"][0]["selector"]["value"] == "xywh=10,21,100,50"
    assert len({one["id"] for one in page["items"]}) == len(HITS)


def test_clusters_are_told_by_the_names_of_their_pictures(cluster):
    rows = list(csv.DictReader(io.StringIO(cluster_table([cluster], NAMES))))
    assert [(row["cluster"], row["picture"], row["score"]) for row in rows] == [
        ("1", "one.jpg", "0.2000"), ("1", "zwölf?.jpg", "0.2000"), ("1", "three.jpg", "0.1000"),
    ]
    (found,) = cluster_json([cluster], NAMES)["clusters"]
    assert found["details"][1]["b"] == {"picture": "three.jpg", "box": list(BOX)}
    items = cluster_annotations([cluster], NAMES)["items"]
    assert len(items) == 3 and items[1]["target"]["source"] == "zw%C3%B6lf%3F.jpg"
    assert [one["source"] for one in items[1]["body"][:2]] == ["one.jpg", "three.jpg"]


@pytest.fixture
def picture():
    """Red, with a blue box of 40 x 20 px at 100, 50; the file's picture is twice as large."""
    image = Image.new("RGB", (200, 100), "red")
    image.paste("blue", (50, 25, 70, 35))
    return Picture((400, 200), np.asarray(image))


def test_a_box_is_cut_out_where_it_is(picture):
    part = cut_out(picture, (100, 50, 40, 20), 80)
    assert part.size == (80, 40)
    assert all(part.getpixel(at) == (0, 0, 255) for at in ((4, 4), (75, 35), (40, 20)))


def test_what_is_around_a_box_is_shown_as_far_as_there_is_any(picture):
    part = cut_out(picture, (0, 50, 40, 20), 100, CONTEXT)
    assert part.size == (100, 80)  # 10 px to the right, above and below, none to the left
    assert cut_out(picture, (399.9, 199.9, 5, 5), 10).size[0] <= 10


def test_pictures_are_reduced_and_never_enlarged(picture):
    assert reduced(picture, 50).size == (50, 25) and reduced(picture, 5000).size == (200, 100)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_any_number_of_results_is_laid_side_by_side(picture, count):
    panel = Panel(picture, (100, 50, 40, 20), ("a name that is far too long to be shown in full" * 3, "0.5"))
    sheet = side_by_side(panel, [panel] * count)
    assert sheet.width > 2 * 220 or count == 0
