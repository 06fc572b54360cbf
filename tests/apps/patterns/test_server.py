"""The pattern browser's server: what it answers, and what it refuses."""

import io
import json
import time
import zlib

import pytest
from fixtures_art_painted import SHIPS, painted, ship_box
from PIL import Image
from starlette.testclient import TestClient

from apps.guards import LARGEST_BODY
from apps.patterns.server import LARGEST_UPLOAD
from training.art.boxes import overlap


@pytest.fixture(scope="module")
def client(application, collection):
    assert collection.wait(60)
    return TestClient(application, base_url="http://127.0.0.1:8717")


@pytest.fixture(scope="module")
def ids(client):
    return {one["name"]: one["id"] for one in client.get("/api/pictures").json()}


@pytest.fixture(scope="module")
def found(client, ids):
    """Where else the ship of the harbour is."""
    asked = {"picture": ids["harbour.png"], "box": ship_box("harbour.png")}
    return client.post("/api/search", json=asked).json()


def test_pictures_are_listed_and_what_is_wrong_is_told(client, ids):
    assert set(ids) == {*SHIPS, "hills.png", "valley.png"}
    state = client.get("/api/state").json()
    assert state["folder"] == "scans" and state["indexing"]["finished"] and state["indexing"]["failure"] is None
    told = " ".join(state["indexing"]["problems"])
    assert "broken.jpg is no picture" in told and "link.png is a link to a file outside the folder" in told
    assert len(client.get("/api/pictures?after=3").json()) == 2


def test_a_box_is_found_in_the_other_pictures_with_the_points_that_agree(found):
    assert found["searched"] == 5 and found["finished"]
    for one in found["results"][:2]:
        assert one["verified"] and overlap(one["box"], ship_box(one["picture"]["name"])) > 0.5
        assert all(0 <= value <= 1 for point in one["points"] for value in point)
    assert {one["picture"]["name"] for one in found["results"][:2]} == {"storm.png", "evening.png"}


def test_what_was_found_is_exported(client, found):
    names = {}
    for kind in ("csv", "json", "annotations"):
        answer = client.get(f"/api/exports/{found['search']}/{kind}")
        names[kind] = answer.headers["content-disposition"]
        assert answer.status_code == 200 and "attachment" in names[kind]
        if kind == "csv":
            assert answer.text.splitlines()[0] == "rank,picture,x,y,w,h,score,verified,mirrored"
        if kind == "annotations":
            first = answer.json()["items"][0]
            assert first["target"]["source"] == f"https://museum.example/{found['results'][0]['picture']['name']}"
            assert first["target"]["selector"]["value"].startswith("xywh=")
    assert len(set(names.values())) == 3
    assert client.get("/api/exports/999999/csv").status_code == 404


def test_pictures_are_shown_whole_small_and_in_part(client, ids):
    key = ids["storm.png"]
    for path, longest in (("thumbnail", 260), ("view", 480), ("part?box=10,10,50,40", 320)):
        answer = client.get(f"/api/pictures/{key}/{path}")
        assert answer.headers["content-type"] == "image/jpeg"
        assert max(Image.open(io.BytesIO(answer.content)).size) == longest


def test_a_picture_from_elsewhere_is_looked_for(client):
    file = io.BytesIO()
    painted(77, (100, 100, 1.5)).save(file, "PNG")
    guest = client.post("/api/uploads", content=file.getvalue()).json()
    assert guest["size"] == [480, 360]
    found = client.post("/api/search", json={"picture": guest["id"], "box": [100, 100, 180, 195]}).json()
    assert {one["picture"]["name"] for one in found["results"][:3]} == set(SHIPS)
    assert client.get(f"/api/pictures/{guest['id']}/thumbnail").status_code == 200


def test_an_upload_that_is_no_picture_is_refused(client):
    answer = client.post("/api/uploads", content=b"no picture")
    assert (answer.status_code, answer.json()["detail"]) == (
        400, "this file is no picture that can be read: save it as JPEG, PNG, TIFF or WebP.",
    )


def test_an_upload_that_claims_to_be_enormous_is_refused_before_it_is_decoded(client):
    file = io.BytesIO()
    painted(1).save(file, "PNG")
    content = bytearray(file.getvalue())
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    answer = client.post("/api/uploads", content=bytes(content))
    assert answer.status_code == 400 and "this file is too large: save it with at most" in answer.json()["detail"]


def test_repeated_details_are_found_in_the_background(client):
    assert client.get("/api/details").json() == []
    client.post("/api/discovery")
    until = time.monotonic() + 100
    while (state := client.get("/api/state").json()["discovery"])["state"] in ("waiting", "running"):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert state["state"] == "done" and state["done"] == state["pictures"] == 4
    (cluster,) = client.get("/api/details").json()
    assert {one["picture"]["name"] for one in cluster["members"]} == set(SHIPS)
    for one in cluster["members"]:
        assert overlap(tuple(one["box"]), ship_box(one["picture"]["name"])) > 0.5
    assert client.get("/api/exports/details/csv").text.count("\n") == 4
    items = client.get("/api/exports/details/annotations").json()["items"]
    assert len(items) == 3 and len(items[0]["body"]) == 3  # the two others, and a text


@pytest.mark.parametrize(
    ("box", "sentence"),
    [([600, 0, 10, 10], "is outside the picture, which is 480 x 360 px"), ([0, 0, 0, 10], "is empty")],
)
def test_a_box_that_shows_nothing_is_refused_in_a_sentence(client, ids, box, sentence):
    answer = client.post("/api/search", json={"picture": ids["hills.png"], "box": box})
    assert answer.status_code == 400 and sentence in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {"picture": "../../etc/passwd", "box": [0, 0, 9, 9]},
        {"picture": "0" * 64, "box": [0, 0, 9]},
        {"picture": "0" * 64, "box": [0, 0, 9, "nan"]},
        {"picture": "0" * 64, "box": [0, 0, 9, 9], "most": 10**9},
        {"picture": "0" * 64, "box": [0, 0, 9, 9], "path": "/etc/passwd"},
    ],
)
def test_a_search_that_is_malformed_is_refused(client, body):
    assert client.post("/api/search", json=body).status_code == 422


def test_a_picture_that_is_not_there_is_told(client):
    for path in ("thumbnail", "view", "part?box=0,0,9,9"):
        assert client.get(f"/api/pictures/{'0' * 64}/{path}").status_code == 404
    assert client.post("/api/search", json={"picture": "0" * 64, "box": [0, 0, 9, 9]}).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../server.py", "/pages/../server.py", "/pages/..%2Fserver.py", "/pages/%2e%2e/server.py", "/pages/server.py",
        "/pages//etc/passwd", "/pages/%2Fetc%2Fpasswd", "/pages/..%5Cserver.py", "/pages/main.js%00.css", "/pages/",
        "/api/pictures/..%2F..%2Fsecret.png/view", "/api/pictures/secret.png/view", "/api/pictures/%2Fetc%2Fp/view",
        "/api/exports/..%2F..%2Fetc%2Fpasswd/csv", "/api/exports/details/..%2Fcsv", "/docs", "/openapi.json",
        "/secret.png", "/scans/hills.png",
    ],
)
def test_no_address_leads_to_a_file(client, path):
    answer = client.get(path)
    assert answer.status_code in (404, 422)
    assert b"root:" not in answer.content and b"import" not in answer.content and b"PNG" not in answer.content


def test_a_file_that_becomes_a_link_out_of_the_folder_is_no_longer_served(client, ids, scans):
    inside = scans / "valley.png"
    content = inside.read_bytes()
    inside.unlink()
    inside.symlink_to(scans.parent / "secret.png")
    try:
        assert client.get(f"/api/pictures/{ids['valley.png']}/view").status_code == 404
    finally:
        inside.unlink()
        inside.write_bytes(content)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8717", "127.0.0.1@evil.example", "", "127.0.0.1:x"]
)
def test_other_hosts_are_refused_so_that_rebinding_a_name_gains_nothing(client, host):
    answer = client.get("/api/pictures", headers={"Host": host})
    assert answer.status_code == 421 and "harbour" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:9999"},
     {"Sec-Fetch-Site": "cross-site"}],
)
def test_pages_of_others_are_refused(client, headers):
    for answer in (client.post("/api/discovery", headers=headers), client.get("/api/pictures", headers=headers)):
        assert answer.status_code == 403


def test_its_own_page_is_not_refused(client):
    headers = {"Origin": "http://127.0.0.1:8717", "Sec-Fetch-Site": "same-origin"}
    assert client.get("/api/state", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/pages/main.js", "/api/state", "/nothing", "/api/search"])
def test_every_answer_says_what_a_page_may_load(client, path):
    policy = client.get(path).headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert client.get(path, headers={"Host": "evil.example"}).headers["content-security-policy"] == policy


@pytest.mark.parametrize(("path", "most"), [("/api/search", LARGEST_BODY), ("/api/uploads", LARGEST_UPLOAD)])
def test_large_bodies_are_refused_announced_or_not(client, path, most):
    assert client.post(path, content=b"", headers={"Content-Length": str(most + 1)}).status_code == 413
    piece = b" " * (most // 4 + 1)
    answer = client.post(path, content=(piece for _ in range(4)), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413 and f"larger than {most} bytes" in answer.text


def test_json_is_read_as_such_alone(client, ids):
    body = json.dumps({"picture": ids["hills.png"], "box": [0, 0, 90, 90]})
    assert client.post("/api/search", content=body, headers={"Content-Type": "text/plain"}).status_code == 422
