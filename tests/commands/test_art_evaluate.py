"""blockworld art evaluate, as a user types it, on a folder in each published layout. Features are of pixels: no network
runs."""

import json

import pytest
import torch
from fixtures_art import published, random_backbone
from fixtures_art_painted import SHIPS, PixelExtractor, painted, painted_folder, ship_box

from training.art import index as indexing
from training.art.backbone import open_backbone
from training.art.index import open_store

HARBOUR, STORM, EVENING = SHIPS


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Five pictures, three of them with the same ship, one of these twice; and weights."""
    made = tmp_path_factory.mktemp("art")
    scans = painted_folder(made / "scans")
    (scans / "twice.png").write_bytes((scans / STORM).read_bytes())
    torch.save(published(random_backbone()), made / "weights.pth")
    open_store(open_backbone(made / "weights.pth"), made / "cache")  # the network is exported once
    return made


@pytest.fixture
def run(blockworld, place, monkeypatch):
    """`blockworld art evaluate FOLDER` with weights, and features of pixels."""
    monkeypatch.setattr(indexing.Extractor, "features", PixelExtractor().features)

    def run(folder, *words):
        return blockworld(
            "art", "evaluate", folder, *words, "--weights", place / "weights.pth", "--cache", place / "cache"
        )

    return run


def corners(name):
    x, y, w, h = ship_box(name)
    return [x, y, x + w, y + h]


def written(path, data):
    path.write_text(json.dumps(data))
    return path


def brueghel(folder, wanted=((STORM, STORM), (EVENING, EVENING), ("twice.png", STORM))):
    gt = [[name, corners(box)] for name, box in wanted]
    return written(folder / "brueghel.json", {"ships": [{"query": [HARBOUR, corners(HARBOUR)], "gt": gt}]})


def ltll(folder, **changed):
    labels = dict.fromkeys(SHIPS, "ship") | {"hills.png": "hills", "valley.png": "hills"}
    data = {"val": ["hills.png"], "test": [HARBOUR, EVENING], "searchImg": [STORM, "hills.png"], "annotation": labels}
    return written(folder / "ltll.json", data | changed)


def oxford_texts(folder):
    """Query, good, ok and junk, the names without their endings."""
    folder.mkdir()
    box = " ".join(map(str, corners(HARBOUR)))
    texts = {"query": f"oxc1_harbour {box}", "good": "storm\ntwice\n", "ok": "evening\n", "junk": "harbour\n"}
    for name, text in texts.items():
        (folder / f"ship_1_{name}.txt").write_text(text)
    return folder


def test_boxes_are_scored_by_the_annotations_of_brueghel(run, place, tmp_path):
    out = tmp_path / "scores.json"
    status, told, _ = run(place / "scans", "--annotations", brueghel(tmp_path), "--out", out)
    assert status == 0
    lines = [line.split() for line in told.splitlines() if line]
    assert lines[0] == ["mAP", "(IoU", ">", "0.3)", "mAP", "over", "categories", "(IoU", ">", "0.3)"]
    assert [line[0] for line in lines[1:5]] == ["cosine", "discovery", "category", "ships"]
    assert told.splitlines()[-1] == f"detection: 1 queries, 6 pictures; {out} written"
    found = json.loads(out.read_text())
    assert (found["protocol"], found["pictures"], found["queries"], found["overlap"]) == ("detection", 6, 1, 0.3)
    cosine, discovery = found["rows"]
    assert cosine["method"] == "cosine" and len(cosine["queries"]) == 1
    assert discovery["mAP"] == discovery["categories"]["ships"] == 1.0 and float(lines[2][1]) == 100.0
    status, told, _ = run(place / "scans", "--annotations", brueghel(tmp_path), "--cosine")
    assert status == 0 and "discovery" not in told


def test_a_box_that_is_nowhere_scores_nothing(run, place, tmp_path):
    empty = {"hills": [{"query": ["hills.png", [0, 0, 200, 200]], "gt": [["valley.png", [400, 300, 410, 310]]]}]}
    status, told, _ = run(place / "scans", "--annotations", written(tmp_path / "a.json", empty), "--cosine")
    assert status == 0 and told.splitlines()[1].split() == ["cosine", "0.0", "0.0"]


@pytest.mark.parametrize(("part", "queries"), [("test", 2), ("val", 1)])
def test_recognition_is_scored_by_the_annotations_of_ltll(run, place, tmp_path, part, queries):
    status, told, _ = run(place / "scans", "--annotations", ltll(tmp_path), "--part", part)
    assert status == 0 and told.splitlines()[0].split() == ["top-1"]
    assert told.splitlines()[-1] == f"recognition: {queries} queries, 6 pictures"
    if part == "test":
        assert told.splitlines()[1].split() == ["discovery", "100.0"]


def test_retrieval_is_scored_by_the_text_files_of_oxford_and_by_json(run, place, tmp_path):
    as_json = {
        "test": [HARBOUR],
        "annotation": {HARBOUR: {"bbox": corners(HARBOUR), "gt": [HARBOUR, STORM, "twice.png", EVENING]}},
    }
    for annotations in (oxford_texts(tmp_path / "texts"), written(tmp_path / "oxford.json", as_json)):
        status, told, _ = run(place / "scans", "--annotations", annotations)
        assert status == 0 and told.splitlines()[-1] == "retrieval: 1 queries, 6 pictures"
        method, score = told.splitlines()[1].split()
        assert method == "discovery" and float(score) > 95


def test_copies_are_planted_once_and_scored(run, place, tmp_path):
    folder, copies, out = tmp_path / "paintings", tmp_path / "copies", tmp_path / "scores.json"
    folder.mkdir()
    for seed in range(4):
        painted(seed).resize((240, 180)).save(folder / f"{seed}.png")
    (folder / "broken.jpg").write_text("no picture")
    words = ("--planted", copies, "--group", "2", "--cosine")
    status, told, errors = run(folder, *words, "--out", out)
    assert status == 0 and "broken.jpg" in errors
    assert told.splitlines()[-1] == f"detection: 4 queries, 4 pictures; {out} written"
    assert set(json.loads(out.read_text())["rows"][0]["categories"]) == {"0", "1"}
    before = {path: path.stat().st_mtime_ns for path in copies.iterdir()}
    assert run(folder, *words)[:2] == (0, told.replace(f"; {out} written", ""))
    assert {path: path.stat().st_mtime_ns for path in copies.iterdir()} == before
    status, _, errors = run(folder, *words, "--seed", "1")
    assert status == 2 and f"{copies} holds other pictures or settings than these: name an empty folder." in errors


@pytest.mark.parametrize(
    ("annotations", "sentence"),
    [
        (lambda folder: written(folder / "a.json", []), "is not the annotations that were expected"),
        (lambda folder: written(folder / "a.json", {}), "it has no queries."),
        (lambda folder: written(folder / "a.json", {"annotation": {}}), "test is missing."),
        (lambda folder: ltll(folder, annotation={}), "annotation has no label for harbour.png."),
        (lambda folder: folder, "has no file *_query.txt: name the folder of Oxford's ground truth."),
        (lambda folder: folder / "nowhere.json", "does not exist"),
        (
            lambda folder: brueghel(folder, [("lost.png", STORM)]),
            "The annotations name lost.png, which is not among the pictures: add it.",
        ),
        (
            lambda folder: written(
                folder / "a.json", {"a": [{"query": [STORM, [900, 0, 990, 9]], "gt": [[HARBOUR, [0, 0, 9, 9]]]}]}
            ),
            "The box 900,0,90,9 is outside the picture, which is 480 x 360 px: give one inside.",
        ),
    ],
)
def test_annotations_that_do_not_fit_are_told(run, place, tmp_path, annotations, sentence):
    status, out, errors = run(place / "scans", "--annotations", annotations(tmp_path))
    assert status == 2 and out == "" and sentence in errors and "Traceback" not in errors


def test_what_cannot_be_meant_is_told(refused, run, place, tmp_path):
    one_of_two = "give either --annotations FILE, or --planted DIR to plant copies: one of the two."
    assert refused("art", "evaluate", place / "scans") == one_of_two
    assert refused("art", "evaluate", place / "scans", "--annotations", tmp_path, "--planted", tmp_path) == one_of_two
    status, _, errors = run(place / "scans", "--annotations", ltll(tmp_path), "--cosine")
    assert status == 2 and "Whole pictures are ranked by discovery alone: leave --cosine out." in errors
    inside = place / "scans" / "copies"
    assert "whose pictures copies are made of: name a folder elsewhere." in refused(
        "art", "evaluate", place / "scans", "--planted", inside
    )
    assert not inside.exists()
    (tmp_path / "copies").mkdir()
    (tmp_path / "copies" / "letter.txt").write_text("dear")
    told = refused("art", "evaluate", place / "scans", "--planted", tmp_path / "copies")
    assert "copies holds other pictures or settings than these: name an empty folder." in told


def test_help_has_an_example(blockworld):
    status, told, _ = blockworld("art", "evaluate", "--help")
    assert status == 0 and "Example: blockworld art evaluate scans --planted copies" in told
