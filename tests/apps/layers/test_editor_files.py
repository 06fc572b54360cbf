"""Files opened, saved and exported on the page of the layer editor, in a browser without a screen."""

import time

import pytest
from fixtures_discs import discs
from fixtures_editor_page import TOPMOST_FIRST, click_at, colour_of, downloaded, names, one, seen_at, type_into
from fixtures_serving import needs_browser, until
from PIL import Image
from selenium.webdriver.common.by import By

from perception.layers.project import from_json, to_json

pytestmark = needs_browser


def test_exports_are_downloaded(page, downloads):
    click_at(page, 40, 70)
    type_into(page, "colour", "#00ff00")
    for kind in ("svg", "png", "ora", "json"):
        one(page, "export").click()
        page.find_element(By.CSS_SELECTOR, f"input[value={kind}]").click()
        if kind == "png":
            one(page, "size").clear()
            one(page, "size").send_keys("320")
        one(page, "export-now").click()
        content = downloaded(page, downloads, f"boat.{kind}")
        assert content[:4] == {"svg": b"<?xm", "png": b"\x89PNG", "ora": b"PK\x03\x04", "json": b"{\n \""}[kind]
        if kind == "png":
            (downloads / "it.png").write_bytes(content)
            picture = Image.open(downloads / "it.png")
            assert picture.size == (320, 240) and picture.getpixel((80, 140)) == (0, 255, 0, 255)
        if kind == "svg":
            assert b'fill="#00ff00"' in content
        until(page, lambda: not one(page, "export-dialog").is_displayed())


def test_a_project_is_opened_from_the_page_and_saved_as_a_download(page, downloads, workspace):
    project = downloads / "other.json"
    project.write_text(to_json(discs(transparent=False)))
    click_at(page, 40, 70)
    type_into(page, "colour", "#00ff00")
    one(page, "file").send_keys(str(project))
    page.switch_to.alert.dismiss()  # what is not saved is not lost
    assert seen_at(page, 40, 70) == [0, 255, 0, 255]
    one(page, "file").send_keys(str(project))
    page.switch_to.alert.accept()
    until(page, lambda: one(page, "name").text == "other.json")
    assert seen_at(page, 3, 3) == [0, 0, 0, 255] and seen_at(page, 40, 70) == pytest.approx(colour_of("boat"), abs=1)
    project.unlink()
    one(page, "save").click()
    assert to_json(from_json(downloaded(page, downloads, "other.json"))) == to_json(discs(transparent=False))
    assert workspace.saved == []


def test_a_picture_is_opened_and_a_file_that_is_none_is_told(page, downloads):
    (downloads / "red.png").unlink(missing_ok=True)
    Image.new("RGB", (40, 30), (200, 40, 30)).save(downloads / "red.png")
    (downloads / "hostile.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    page.expected = ["/api/open"]
    one(page, "file").send_keys(str(downloads / "hostile.svg"))
    until(page, lambda: one(page, "error").is_displayed())
    assert "hostile.svg is no picture that can be read" in one(page, "error").text
    assert names(page) == TOPMOST_FIRST
    one(page, "file").send_keys(str(downloads / "red.png"))
    until(page, lambda: one(page, "name").text == "red.png")
    until(page, lambda: names(page) == ["layer 3", "layer 2", "layer 1"])
    assert not one(page, "error").is_displayed()


def test_a_document_that_is_gone_is_told_when_it_is_saved(page, workspace):
    workspace.open_project("another.json", discs(), saves=True)
    assert workspace.wait(30)
    page.expected = ["/api/save"]
    one(page, "save").click()
    until(page, lambda: one(page, "error").is_displayed())
    assert "This document is no longer open here: reload the page." in one(page, "error").text
    time.sleep(0.1)
    assert workspace.saved == []
