"""blockworld layers index, search and map, as a user types it, with the network that comes with the project."""

import csv
import json
import shutil

import cv2
import numpy as np
import pytest
from fixtures_serving import headless, needs_browser
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from perception.layers.kept import LayersStore

INDEXED = ("--layers", 3, "--effort", "fast")


def drawn(seed):
    rng = np.random.default_rng(seed)
    picture = np.zeros((40, 60, 4), np.uint8)
    centre, colour = (int(one) for one in rng.integers(10, 40, 2)), (int(one) for one in rng.integers(0, 255, 3))
    cv2.circle(picture, tuple(centre), 9, (*colour, 255), -1)
    return Image.fromarray(picture)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of pictures, two of them bad ones and one twice, and beside it a place for its index."""
    made = tmp_path_factory.mktemp("search")
    (made / "icons" / "deep").mkdir(parents=True)
    for seed, name in enumerate(("a.png", "b.png", "deep/c.png", "deep/<d>.png")):
        drawn(seed).save(made / "icons" / name)
    drawn(0).save(made / "icons" / "e.png", compress_level=0)  # the same pixels in another file
    shutil.copy(made / "icons" / "b.png", made / "icons" / "same.png")
    (made / "icons" / "empty.png").touch()
    (made / "icons" / "text.jpg").write_text("no picture")
    return made


@pytest.fixture
def indexed(blockworld, place):
    """Words that name the index, which is made the first time."""
    if not (place / "index").exists():
        words = ("layers", "index", place / "icons", "--out", place / "index", *INDEXED)
        assert blockworld(*words)[0] == 0
    return "--index", place / "index"


def test_pictures_are_indexed_once_and_each_problem_is_told(blockworld, place, tmp_path):
    words = ("layers", "index", place / "icons", "--out", tmp_path / "index", *INDEXED)
    for done in ("5 indexed, 0 reused", "0 indexed, 5 reused"):
        status, told, _ = blockworld(*words)
        assert status == 0 and f"pictures: {done}, 1 duplicate, 2 with problems; layers in {tmp_path / 'index'}" in told
        assert f"duplicate: {place}/icons/same.png is the same as {place}/icons/b.png\n" in told
        assert f"problem: {place}/icons/empty.png is empty" in told
        assert f"problem: {place}/icons/text.jpg is no picture that can be read" in told


def test_it_goes_on_where_it_was_interrupted(blockworld, place, tmp_path, monkeypatch):
    from perception.layers import indexing

    read, words = indexing.read_rgba, ("--out", tmp_path / "index", *INDEXED)

    def interrupted(path):
        if path.name == "e.png":
            raise KeyboardInterrupt
        return read(path)

    with monkeypatch.context() as patch:
        patch.setattr(indexing, "read_rgba", interrupted)
        assert blockworld("layers", "index", place / "icons", *words)[0] == 130
    told = blockworld("layers", "search", place / "icons" / "a.png", "--layer", 1, "--index", tmp_path / "index")[2]
    assert "was not finished: run `blockworld layers index` again." in told
    assert "pictures: " in (told := blockworld("layers", "index", place / "icons", *words)[1])
    assert 2 <= int(told.split(" indexed, ")[1].split(" reused")[0]) < 5


def test_an_index_of_other_settings_is_refused(refused, place, indexed, tmp_path):
    words = ("layers", "index", place / "icons", "--out", place / "index")
    assert "other --layers or --effort, made: name another folder" in refused(*words, "--layers", 4, "--effort", "fast")
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "letter.txt").write_text("dear")
    said = refused("layers", "index", place / "icons", "--out", tmp_path / "else", *INDEXED)
    assert "holds something else than layers" in said
    assert (tmp_path / "else" / "letter.txt").read_text() == "dear"


@pytest.mark.parametrize("by", ["shape", "turned", "parameters"])
def test_the_same_picture_in_another_file_comes_first(blockworld, place, indexed, tmp_path, by):
    table, data, picture = tmp_path / "found.csv", tmp_path / "found.json", tmp_path / "found.png"
    words = ("layers", "search", place / "icons" / "a.png", "--layer", 2, "--by", by, *indexed, "--most", 5)
    status, told, _ = blockworld(*words, "--out", table, "--picture", picture)
    assert status == 0 and told.splitlines()[0].split() == ["1", "0.000", "layer", "2", "e.png"]
    assert f"5 of 15 masks; {table} written; {picture} written" in told
    rows = list(csv.DictReader(table.open()))
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4", "5"] and rows[0]["picture"] == "e.png"
    assert not any((row["picture"], row["layer"]) == ("a.png", "2") for row in rows)
    distances = [float(row["distance"]) for row in rows]
    assert distances == sorted(distances) and distances[0] < 1e-3 < distances[-1]
    assert Image.open(picture).width > 500
    assert blockworld(*words, "--out", data)[0] == 0
    found = json.loads(data.read_text())
    assert found["asked"] == {"picture": "a.png", "layer": 2, "by": by} and len(found["found"]) == 5


def test_a_picture_from_elsewhere_and_a_project_are_searched_for(blockworld, place, indexed, tmp_path):
    drawn(1).save(tmp_path / "other.png", compress_level=0)
    told = blockworld("layers", "search", tmp_path / "other.png", "--layer", 1, *indexed)[1]
    assert told.split()[1:5] == ["0.000", "layer", "1", "b.png"]
    project = tmp_path / "other.json"
    assert blockworld("layers", "decompose", tmp_path / "other.png", "--out", project, *INDEXED)[0] == 0
    told = blockworld("layers", "search", project, "--layer", 1, *indexed)[1]
    assert told.split()[1:5] == ["0.000", "layer", "1", "b.png"]


def test_bad_input_gets_one_sentence(refused, place, indexed, tmp_path):
    asked = ("layers", "search", place / "icons" / "a.png")
    assert "has 3 layers: give a --layer from 1 to that." in refused(*asked, "--layer", 4, *indexed)
    said = refused(*asked, "--layer", 1, "--index", tmp_path / "none")
    assert f"there is no index in {tmp_path / 'none'}: make one with" in said
    assert not (tmp_path / "none").exists()
    assert "is empty" in refused("layers", "search", place / "icons" / "empty.png", "--layer", 1, *indexed)
    (tmp_path / "bad.json").write_text("{}")
    assert "is no project of layers" in refused("layers", "search", tmp_path / "bad.json", "--layer", 1, *indexed)
    broken = shutil.copytree(place / "index", tmp_path / "broken")
    (broken / LayersStore.DESCRIPTION).write_text('{"key": "x", "settings": {"network": "../x"}}')
    said = refused(*asked, "--layer", 1, "--index", broken)
    assert "layers.json is damaged" in said
    (tmp_path / "nothing").mkdir()
    said = refused("layers", "index", tmp_path / "nothing", "--out", tmp_path / "i", *INDEXED)
    assert "there is no picture that can be used in" in said


def test_a_damaged_file_is_told_and_the_others_are_searched(blockworld, place, indexed, tmp_path):
    broken = shutil.copytree(place / "index", tmp_path / "broken")
    max(broken.glob("??/*.npz")).write_bytes(b"PK damaged")
    words = ("layers", "search", place / "icons" / "a.png", "--layer", 1, "--index", broken)
    status, told, problems = blockworld(*words, "--by", "parameters")
    assert status == 0 and "of 12 masks" in told and problems.count("are damaged or gone: index again.") == 1
    again = ("layers", "index", place / "icons", "--out", broken, *INDEXED)
    assert "pictures: 1 indexed, 4 reused" in blockworld(*again)[1]


def test_a_map_needs_nothing_else(blockworld, place, indexed, tmp_path):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed (the extra `maps`)")
    status, told, _ = blockworld("layers", "map", "--out", tmp_path / "map.html", "--by", "parameters", *indexed)
    assert status == 0 and f"15 of 15 masks on {tmp_path / 'map.html'}" in told
    text = (tmp_path / "map.html").read_text()
    assert "http" not in text.replace("http-equiv", "") and "<d>" not in text
    data = json.loads(text.split('id="data">')[1].split("</script>")[0])
    assert len(data["at"]) == 15 and data["names"] == ["a.png", "b.png", "e.png", "deep/<d>.png", "deep/c.png"]
    same = data["names"].index("a.png"), data["names"].index("e.png")
    for number, near in enumerate(data["near"]):
        if data["picture"][number] in same:
            assert {data["picture"][number], data["picture"][near[0][0]]} == set(same) and near[0][1] == 0
    fewer = ("layers", "map", "--out", tmp_path / "few.html", "--by", "parameters", "--most", 7, *indexed)
    assert "7 of 15 masks" in blockworld(*fewer)[1]


@needs_browser
def test_on_the_map_pointing_shows_the_picture_and_a_click_the_nearest(blockworld, place, indexed, tmp_path):
    pytest.importorskip("sklearn", reason="scikit-learn is not installed (the extra `maps`)")
    out = tmp_path / "map.html"
    assert blockworld("layers", "map", "--out", out, "--by", "parameters", *indexed)[0] == 0
    with headless(tmp_path / "profile") as driver:
        driver.get(out.as_uri())
        x, y = driver.execute_script("return place(4)")
        canvas = driver.find_element(By.ID, "map")
        middle = canvas.size["width"] / 2, canvas.size["height"] / 2
        ActionChains(driver).move_to_element_with_offset(canvas, int(x - middle[0]), int(y - middle[1])).perform()
        hovered = driver.execute_script("return hovered")
        name = driver.execute_script("return data.names[data.picture[hovered]]")
        words = driver.find_element(By.ID, "words").text
        assert hovered >= 0 and name in words
        assert f"layer {driver.execute_script('return data.layer[hovered]')}" in words
        assert "data:image/jpeg" in driver.find_element(By.ID, "picture").value_of_css_property("background-image")
        ActionChains(driver).click().perform()
        entries = driver.find_elements(By.CSS_SELECTOR, "#near button")
        assert len(entries) == 12 and driver.execute_script("return chosen") == hovered
        entries[0].click()
        assert driver.execute_script("return chosen") == driver.execute_script(f"return data.near[{hovered}][0][0]")
        assert [one for one in driver.get_log("browser") if one["level"] == "SEVERE"] == []
