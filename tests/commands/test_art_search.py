"""blockworld art search, discover and browse, as a user types them. Features are of pixels: no network runs."""

import csv
import json
import shutil
import socket

import pytest
import torch
from fixtures_art import published, random_backbone
from fixtures_art_painted import SHIPS, PixelExtractor, painted_folder, ship_box
from PIL import Image, ImageOps

from perception.picture_folder import content_digest
from training.art.backbone import open_backbone
from training.art.boxes import overlap
from training.art.index import open_store
from training.art.pictures import read_picture


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Five pictures, three of them with the same ship, and a cache that knows them."""
    made = tmp_path_factory.mktemp("art")
    scans = painted_folder(made / "scans")
    torch.save(published(random_backbone()), made / "weights.pth")
    store, _ = open_store(open_backbone(made / "weights.pth"), made / "cache")
    for path in scans.iterdir():
        store.put(content_digest(path), PixelExtractor().features(read_picture(path)))
    (scans / "broken.jpg").write_text("no picture")
    return made


@pytest.fixture
def cached(place):
    return ("--weights", place / "weights.pth", "--cache", place / "cache")


def said(box):
    return ",".join(f"{one:g}" for one in box)


def test_a_box_is_found_in_the_other_pictures_and_written_in_every_form(blockworld, place, cached, tmp_path):
    names = ("found.csv", "found.png", "annotations.json")
    table, picture, annotations = (tmp_path / name for name in names)
    words = ("--box", said(ship_box("harbour.png")), "--out", table, "--picture", picture, "--annotations", annotations)
    status, told, errors = blockworld(
        "art", "search", place / "scans" / "harbour.png", *words, "--base", "https://x.example/", *cached
    )
    assert status == 0 and "problem: " in errors and "broken.jpg" in errors
    rows = list(csv.DictReader(table.open()))
    assert {row["picture"] for row in rows[:2]} == {"storm.png", "evening.png"}
    for row in rows[:2]:
        box = tuple(float(row[name]) for name in "xywh")
        assert row["verified"] == "yes" and overlap(box, ship_box(row["picture"])) > 0.5
    lines = told.splitlines()
    assert "verified" in lines[0] and lines[0].endswith(rows[0]["picture"])
    assert lines[-1].startswith(f"{len(rows)} matches in 5 pictures; ") and str(picture) in lines[-1]
    assert min(Image.open(picture).size) > 200
    page = json.loads(annotations.read_text())
    assert page["type"] == "AnnotationPage" and len(page["items"]) == len(rows)
    assert page["items"][0]["target"]["source"] == f"https://x.example/{rows[0]['picture']}"


def test_a_picture_from_elsewhere_is_looked_for_in_a_collection_by_cosine(blockworld, place, cached, tmp_path):
    elsewhere = tmp_path / "copy.png"
    elsewhere.write_bytes((place / "scans" / "storm.png").read_bytes())
    out = tmp_path / "found.json"
    words = ("--box", said(ship_box("storm.png")), "--collection", place / "scans", "--cosine", "--most", "3")
    status, told, _ = blockworld("art", "search", elsewhere, *words, "--out", out, *cached)
    assert status == 0 and told.count("alike") == 3
    found = json.loads(out.read_text())
    assert found["query"]["picture"] == "copy.png" and len(found["results"]) == 3


def test_a_box_is_looked_for_turned_left_to_right_too(blockworld, place, cached, tmp_path, monkeypatch):
    scans, pixels = tmp_path / "scans", PixelExtractor()
    scans.mkdir()
    monkeypatch.setattr("training.art.extractor.Extractor.features", lambda _, picture: pixels.features(picture))
    shutil.copy(place / "scans" / "harbour.png", scans)
    ImageOps.mirror(Image.open(place / "scans" / "storm.png")).save(scans / "print.png")
    box = ("--box", said(ship_box("harbour.png")))
    status, told, _ = blockworld("art", "search", scans / "harbour.png", *box, "--mirrored", *cached)
    assert status == 0 and "verified, mirrored" in told.splitlines()[0] and told.splitlines()[0].endswith("print.png")


def test_mirrored_takes_a_box(blockworld, place, cached):
    status, _, problem = blockworld("art", "search", place / "scans" / "harbour.png", "--mirrored", *cached)
    assert status == 2 and "--mirrored looks for a box" in problem


def test_without_a_box_pictures_are_ranked_by_what_they_have_in_common(blockworld, place, cached, tmp_path):
    out, picture = tmp_path / "found.csv", tmp_path / "found.png"
    status, told, _ = blockworld(
        "art", "search", place / "scans" / "harbour.png", "--out", out, "--picture", picture, *cached
    )
    rows = list(csv.DictReader(out.open()))
    assert status == 0 and told.splitlines()[-1].startswith("4 matches in 5 pictures; ")
    assert [row["picture"] for row in rows].count("harbour.png") == 0 and len(rows) == 4
    assert {row["picture"] for row in rows[:2]} == {"storm.png", "evening.png"}
    for row in rows[:2]:
        box = tuple(float(row[name]) for name in "xywh")
        assert row["verified"] == "yes" and overlap(box, ship_box(row["picture"])) > 0.4
    assert min(Image.open(picture).size) > 200


@pytest.mark.parametrize(
    ("box", "sentence"),
    [
        ("500,0,10,10", "The box 500,0,10,10 is outside the picture, which is 480 x 360 px: give one inside."),
        ("0,0,0,10", "The box 0,0,0,10 is empty: its width and height have to be larger than 0 px."),
        ("1,2,3", "'1,2,3' is not x,y,w,h: give four numbers, px of the upright picture."),
        ("a,b,c,d", "'a,b,c,d' is not x,y,w,h: give four numbers, px of the upright picture."),
        ("nan,0,5,5", "four finite numbers"),
    ],
)
def test_a_box_that_shows_nothing_is_told(refused, place, cached, box, sentence):
    assert sentence in refused("art", "search", place / "scans" / "hills.png", "--box", box, *cached)


def test_a_picture_that_cannot_be_read_is_told(refused, place, cached):
    told = refused("art", "search", place / "scans" / "broken.jpg", "--box", "0,0,9,9", *cached)
    assert "broken.jpg is no picture that can be read: save it as JPEG, PNG, TIFF or WebP." in told


def test_an_empty_collection_is_told(blockworld, place, cached, tmp_path):
    for words in (
        ("search", place / "scans" / "hills.png", "--box", "0,0,90,90", "--collection", tmp_path),
        ("discover", tmp_path, "--out", tmp_path / "report"),
    ):
        status, _, told = blockworld("art", *words, *cached)
        assert status == 2 and f"there is no picture that can be used in {tmp_path}: name a folder of scans." in told


def test_the_details_of_a_collection_are_a_page_with_pictures_and_files(blockworld, place, cached, tmp_path):
    out = tmp_path / "report"
    for _ in range(2):  # the second time, it is all there
        status, told, _ = blockworld("art", "discover", place / "scans", "--out", out, "--least-score", "0.03", *cached)
        assert status == 0 and f"1 detail in 3 pictures or more, of 5 pictures and 10 pairs; {out}/index.html" in told
    page = (out / "index.html").read_text()
    assert all(name in page for name in SHIPS) and "hills.png" not in page
    assert len(list((out / "pictures").glob("*.jpg"))) == page.count("<img ") == 3
    (detail,) = json.loads((out / "details.json").read_text())["clusters"]
    for member in detail["members"]:
        assert overlap(tuple(member["box"]), ship_box(member["picture"])) > 0.5
    assert (out / "details.csv").read_text().count("\n") == 4
    assert len(json.loads((out / "annotations.json").read_text())["items"]) == 3


def test_a_report_is_not_written_over_something_else(refused, place, cached, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    told = refused("art", "discover", place / "scans", "--out", tmp_path, *cached)
    assert told == f"{tmp_path} holds something else than a report: name an empty folder."


def test_the_page_is_served_and_its_address_told(blockworld, place, cached, monkeypatch):
    from apps import serving

    served = []
    monkeypatch.setattr(serving.uvicorn.Server, "run", lambda _, sockets: served.append(sockets[0].getsockname()))
    status, told, _ = blockworld("art", "browse", place / "scans", "--port", "0", *cached)
    ((host, port),) = served
    assert status == 0 and host == "127.0.0.1" and f"http://127.0.0.1:{port}/" in told


def test_a_port_that_is_taken_is_told(refused, place, cached):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        told = refused("art", "browse", place / "scans", "--port", taken.getsockname()[1], *cached)
    assert "is taken or not allowed: give another --port, or 0 for any." in told


@pytest.mark.parametrize("verb", ["search", "discover", "browse"])
def test_help_has_an_example(blockworld, verb):
    status, told, _ = blockworld("art", verb, "--help")
    assert status == 0 and f"Example: blockworld art {verb} scans" in told
