"""The layer editor's server: what it opens, saves and exports, and what it refuses."""

import gzip
import io
import json
import threading
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest
from fixtures_discs import PLACES, SIZE, DiscNetwork, discs
from PIL import Image
from starlette.testclient import TestClient

from apps.guards import LARGEST_BODY
from apps.layers.document import MOST_MASK_BYTES, Document
from apps.layers.server import LARGEST_EDITS, LARGEST_FILE
from perception.layers.layer import Decomposition
from perception.layers.project import from_json, to_json
from perception.layers.rendering import render, to_rgba


@pytest.fixture
def client(app):
    return TestClient(app, base_url="http://127.0.0.1:8718")


@pytest.fixture
def document(client):
    return client.get("/api/state").json()["document"]


@pytest.fixture
def edits(document):
    """The boat joined with its sail, in a gradient; the sun darker and half seen; the sea hidden."""
    sea, sun, boat, _ = document["layers"]
    gradient = {"colour": [0, 1, 0], "start": [-0.5, 0], "end": [0.5, 0.25]}
    return {
        "document": document["id"],
        "layers": [
            boat | {"masks": [2, 3], "gradient": gradient, "name": "vessel"},
            sun | {"lightness": -0.5, "opacity": 0.5},
            sea | {"visible": False},
        ],
    }


def opened(client, workspace, content, name="it.json"):
    answer = client.post(f"/api/open?name={name}", content=content)
    assert workspace.wait(60)
    return answer


def test_what_is_open_is_told(document):
    assert document["name"] == "boat.json" and document["picture"] == list(SIZE)
    assert document["size"] == [320, 240] and document["masks"] == document["ready"] == 4
    assert [layer["name"] for layer in document["layers"]] == list(PLACES)
    assert [layer["masks"] for layer in document["layers"]] == [[0], [1], [2], [3]]
    assert not any("parameters" in layer for layer in document["layers"])


def test_masks_are_whole_and_where_the_layers_are(client, document):
    for number, (x, y, radius, _) in enumerate(PLACES.values()):
        answer = client.get(f"/api/documents/{document['id']}/masks/{number}")
        mask = np.frombuffer(answer.content, np.uint8).reshape(240, 320)  # the client has undone the gzip
        rows, columns = np.mgrid[:240, :320] + 0.5
        away = radius - np.hypot(columns / 2 - x, rows / 2 - y)
        np.testing.assert_array_equal(mask[np.abs(away) > 2] > 127, away[np.abs(away) > 2] > 0)
    assert client.get(f"/api/documents/{document['id']}/masks/4").status_code == 404
    assert client.get(f"/api/documents/{document['id']}/masks/-1").status_code == 422
    assert client.get(f"/api/documents/{'0' * 32}/masks/0").status_code == 409


@pytest.mark.parametrize("size", [None, 80])
def test_exports_are_what_was_edited(client, edits, size):
    def export(kind, **more):
        answer = client.post("/api/export", json=edits | {"kind": kind} | more)
        assert answer.status_code == 200 and f'filename="layers.{kind}"' in answer.headers["content-disposition"]
        return answer.content

    made = from_json(export("json"))
    assert [layer.name for layer in made.layers] == ["vessel", "sun", "sea"]
    assert len(made.layers[0].joined) == 1 and made.opacities.tolist() == [1, 0.5, 0]
    width, height = (size, size * 3 // 4) if size else SIZE
    pixels = np.asarray(Image.open(io.BytesIO(export("png", size=size))))
    np.testing.assert_array_equal(pixels, to_rgba(render(DiscNetwork(), made, width, height)))
    root = ElementTree.fromstring(export("svg", levels=2))
    groups = root.findall("{*}g")
    assert len(groups[0].findall("{*}path")) == 4 and groups[2].get("display") == "none"
    archive = zipfile.ZipFile(io.BytesIO(export("ora", size=size)))
    np.testing.assert_array_equal(np.asarray(Image.open(archive.open("mergedimage.png"))), pixels)


def test_a_project_that_was_saved_opens_again_equal(client, workspace, edits):
    assert client.post("/api/save", json=edits).json() == {"saved": True}
    (content,) = workspace.saved
    kept = client.get("/api/state").json()["document"]["layers"]
    assert [layer["name"] for layer in kept] == ["vessel", "sun", "sea"]  # also when the page is reloaded
    assert opened(client, workspace, content).status_code == 200
    again = client.get("/api/state").json()["document"]
    assert again["masks"] == 4 and again["layers"][0]["masks"] == [0, 1]
    export = {"document": again["id"], "layers": again["layers"], "kind": "json"}
    assert client.post("/api/export", json=export).content == content


def test_what_was_opened_from_the_page_is_not_saved_over_the_file_of_the_command(client, workspace, edits):
    assert opened(client, workspace, to_json(discs()).encode(), "other.json").status_code == 200
    again = client.get("/api/state").json()["document"]
    assert again["name"] == "other.json" and not again["saves"]
    answer = client.post("/api/save", json=edits | {"document": again["id"]})
    assert answer.status_code == 400 and "export it as a project" in answer.json()["detail"]
    assert client.post("/api/save", json=edits).status_code == 409  # a page that still shows the other document
    assert workspace.saved == []


def test_a_picture_is_decomposed(client, workspace):
    file = io.BytesIO()
    Image.new("RGBA", (40, 30), (200, 40, 30, 255)).save(file, "PNG")
    assert opened(client, workspace, file.getvalue(), "red.png").status_code == 200
    state = client.get("/api/state").json()
    assert state["failure"] is None and state["working"] is None
    assert state["document"]["name"] == "red.png" and len(state["document"]["layers"]) == 3


def project(**changes):
    return json.dumps(json.loads(to_json(discs())) | changes).encode()


@pytest.mark.parametrize(("content", "sentence"), [
    (b"", "is empty"), (b"no picture", "is no picture that can be read"), (b"{", "is no project of layers"),
    (b"<svg onload='alert(1)'><script>alert(1)</script></svg>", "is no picture that can be read"),
    (b'{"__proto__": {}, "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "is no project of layers"),
    (project(network="../../etc/passwd"), "is no project of layers"), (project(script="alert(1)"), "is no project of"),
    (project(network="other"), "there is no bundle other"), (project(width=10**7), "is no project of layers"),
    (project(layers=[{"colour": [0, 0, 0], "parameters": [1, 2]}]), "is not of the network discs as it is now"),
    (project(layers=[{"colour": [0, 0, 0], "parameters": [1, 2, 3], "name": "x" * 201}]), "is no project of layers"),
    (b"{" + b" " * (1 << 24), "it is no project of layers"),
])  # fmt: skip
def test_hostile_files_are_refused_in_a_sentence_and_nothing_is_lost(client, workspace, document, content, sentence):
    answer = opened(client, workspace, content, "it.json")
    assert answer.status_code == 400 and sentence in answer.json()["detail"]
    assert client.get("/api/state").json()["document"] == document


def test_what_fails_in_the_background_is_told_and_the_document_stays(client, workspace, document, monkeypatch):
    monkeypatch.setattr("apps.layers.workspace.decompose", lambda *_: 1 / 0)
    file = io.BytesIO()
    Image.new("RGB", (20, 20)).save(file, "PNG")
    opened(client, workspace, file.getvalue(), "red.png")
    state = client.get("/api/state").json()
    assert state["failure"] == "red.png could not be opened (ZeroDivisionError): open another file."
    assert state["document"] == document


def test_masks_that_were_missing_come_when_another_file_fails(client, workspace, document, monkeypatch):
    workspace.document.masks[2:] = []
    monkeypatch.setattr("apps.layers.workspace.decompose", lambda *_: 1 / 0)
    workspace.open_picture("red.png", np.zeros((20, 20, 4), np.uint8))
    assert workspace.wait(30)
    assert client.get("/api/state").json()["document"] == document
    assert len({bytes(mask) for mask in workspace.document.masks}) == 4


def test_a_mask_that_fails_is_told(workspace, monkeypatch):
    monkeypatch.setattr(Document, "add_mask", lambda _: 1 / 0)
    workspace.open_project("other.json", discs())
    assert workspace.wait(30)
    assert workspace.state()["failure"] == "other.json could not be opened (ZeroDivisionError): open another file."


def test_a_document_takes_the_place_of_one_that_is_still_being_opened(workspace, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def slow(*given):
        begun.set()
        assert go_on.wait(30)
        given[-1](0.5)  # where it hears that it is no longer wanted
        raise AssertionError

    monkeypatch.setattr("apps.layers.workspace.decompose", slow)
    workspace.open_picture("slow.png", np.zeros((20, 20, 4), np.uint8))
    assert begun.wait(30) and workspace.state()["working"]["name"] == "slow.png"
    workspace.open_project("other.json", discs())
    go_on.set()
    assert workspace.wait(30)
    state = workspace.state()
    assert state["document"]["name"] == "other.json" and state["document"]["ready"] == 4 and state["failure"] is None


@pytest.mark.parametrize("change", [
    {"document": "../../etc/passwd"}, {"layers": "all"}, {"path": "/etc/passwd"},
    *({"layers": [{"colour": [0, 0, 0], "masks": [0]} | bad]} for bad in (
        {"masks": []}, {"masks": [-1]}, {"masks": [0.5]}, {"masks": [300]}, {"colour": [0, 0, 2]}, {"colour": "red"},
        {"opacity": "nan"}, {"lightness": 7}, {"name": "x" * 201}, {"parameters": [1, 2, 3]}, {"onclick": "alert(1)"},
        {"gradient": {"colour": [0, 0, 0], "start": [0, 0]}},
    )),
])  # fmt: skip
def test_edits_that_are_malformed_are_refused(client, workspace, edits, change):
    assert client.post("/api/save", json=edits | change).status_code == 422
    assert client.post("/api/export", json=edits | {"kind": "svg"} | change).status_code == 422
    assert workspace.saved == []


@pytest.mark.parametrize("change", [
    {"kind": "exe"}, {"kind": "../svg"}, {"size": 0}, {"size": 10**6}, {"levels": 0}, {"levels": 10**6},
])  # fmt: skip
def test_exports_that_are_not_there_are_refused(client, edits, change):
    assert client.post("/api/export", json=edits | {"kind": "png"} | change).status_code == 422


def test_an_export_that_is_too_large_is_refused_in_a_sentence(client, edits):
    answer = client.post("/api/export", json=edits | {"kind": "png", "size": 16384})
    assert answer.status_code == 400 and "megapixels" in answer.json()["detail"]


def test_masks_that_the_document_does_not_have_are_refused(client, edits):
    edits["layers"][0]["masks"] = [4]
    answer = client.post("/api/export", json=edits | {"kind": "json"})
    assert answer.status_code == 400 and "masks that this document does not have" in answer.json()["detail"]


@pytest.mark.parametrize("path", [
    "/../server.py", "/pages/../server.py", "/pages/..%2Fserver.py", "/pages/%2e%2e/server.py", "/pages/server.py",
    "/pages//etc/passwd", "/pages/%2Fetc%2Fpasswd", "/pages/..%5Cserver.py", "/pages/main.js%00.css", "/pages/",
    "/api/documents/..%2F..%2Fetc/masks/0", "/api/documents/x/masks/0", "/docs", "/openapi.json", "/boat.json",
])  # fmt: skip
def test_no_address_leads_to_a_file(client, path):
    answer = client.get(path)
    assert answer.status_code in (404, 422)
    assert b"root:" not in answer.content and b"import" not in answer.content and b"parameters" not in answer.content


@pytest.mark.parametrize("headers", [
    {"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
])  # fmt: skip
def test_pages_of_others_are_refused(client, workspace, edits, headers):
    for path, body in (("/api/save", edits), ("/api/export", edits | {"kind": "json"}), ("/api/open?name=a", {})):
        assert client.post(path, json=body, headers=headers).status_code in (403, 421)
    assert client.get("/api/state", headers=headers).status_code in (403, 421)
    assert workspace.saved == []


@pytest.mark.parametrize("path", ["/", "/pages/main.js", "/pages/elements.js", "/api/state", "/nothing"])
def test_every_answer_says_what_a_page_may_load(client, path):
    policy = client.get(path).headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(("path", "most"), [
    ("/api/open?name=a", LARGEST_FILE), ("/api/save", LARGEST_EDITS), ("/api/state", LARGEST_BODY),
])  # fmt: skip
def test_large_bodies_are_refused(client, path, most):
    assert client.post(path, content=b"", headers={"Content-Length": str(most + 1)}).status_code == 413


def test_masks_of_many_layers_are_smaller_and_kept_compressed(client, document, workspace):
    made = discs()
    many = Decomposition("discs", 3840, 2160, made.layers * 64, True)
    width, height = Document("many", many, DiscNetwork()).size
    assert width * height * 256 <= MOST_MASK_BYTES and width / height == pytest.approx(16 / 9, abs=0.02)
    assert Document("few", Decomposition("discs", 3840, 2160, made.layers, True), DiscNetwork()).size == (3840, 2160)
    assert Document("small", made, DiscNetwork()).size == (1280, 960)
    kept = workspace.document.masks
    assert sum(map(len, kept)) < 320 * 240 and len(gzip.decompress(kept[0])) == 320 * 240
