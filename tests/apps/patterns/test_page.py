"""The pattern browser's page in a browser without a screen: by mouse and by keyboard."""

import pytest
from fixtures_art_painted import SHIPS, ship_box
from fixtures_browser import NEEDS_BROWSER, chromium
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = NEEDS_BROWSER
PATIENCE_S = 60


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def page(browser, address):
    """The page, all pictures indexed; afterwards, nothing on it was blocked or failed."""
    browser.get("about:blank")
    browser.get(address)
    until(browser, lambda: "5 pictures" in text(browser, "progress-text"))
    until(browser, lambda: len(browser.find_elements(By.CSS_SELECTOR, "#thumbnails li")) == 5)
    yield browser
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def until(browser, what):
    return WebDriverWait(browser, PATIENCE_S, 0.1).until(lambda _: what())


def text(browser, name):
    return browser.find_element(By.ID, name).text


def opened(page, name):
    """The view of one picture."""
    page.find_element(By.PARTIAL_LINK_TEXT, name).click()
    until(page, lambda: text(page, "picture-name") == name)
    stage = page.find_element(By.ID, "stage")
    until(page, lambda: stage.size["height"] > 50)
    return stage


def matches(page):
    """Captions of the results, once they are there."""
    until(page, lambda: "matches in 5 pictures" in text(page, "results-title"))
    return [one.text for one in page.find_elements(By.CSS_SELECTOR, "#results .caption")]


def test_pictures_and_problems_are_shown(page):
    names = {one.text for one in page.find_elements(By.CSS_SELECTOR, "#thumbnails span")}
    assert names == {*SHIPS, "hills.png", "valley.png"}
    page.find_element(By.ID, "problems-button").click()
    assert "broken.jpg is no picture" in text(page, "problems")
    page.find_element(By.ID, "filter").send_keys("vall")
    assert [one.text for one in page.find_elements(By.CSS_SELECTOR, "#thumbnails li") if one.text] == ["valley.png"]


def test_a_box_drawn_with_the_mouse_is_found_and_compared(page):
    stage = opened(page, "harbour.png")
    x, y, w, h = ship_box("harbour.png")
    scale, left, top = page.execute_script(
        "const m = document.getElementById('view').getScreenCTM(), r = arguments[0].getBoundingClientRect();"
        "return [m.a, m.e - r.left - r.width / 2, m.f - r.top - r.height / 2]", stage,
    )
    start = round(left + x * scale), round(top + y * scale)
    drag = ActionChains(page).move_to_element_with_offset(stage, *start).click_and_hold()
    drag.move_by_offset(round(w * scale / 2), round(h * scale / 2)).move_by_offset(
        round(w * scale / 2), round(h * scale / 2)
    ).release().perform()
    found = matches(page)
    assert "storm.png" in found[0] and "points agree" in found[0] and "evening.png" in found[1]
    page.find_element(By.CSS_SELECTOR, "#results .pair").click()
    until(page, lambda: text(page, "compare-title").startswith("1 of"))
    points = [page.find_elements(By.CSS_SELECTOR, f"#{side} circle") for side in ("left", "right")]
    assert len(points[0]) == len(points[1]) > 5
    page.find_element(By.ID, "show-points").click()
    assert page.find_elements(By.CSS_SELECTOR, "#left circle") == []
    ActionChains(page).send_keys(Keys.ARROW_RIGHT).perform()
    assert text(page, "compare-title").startswith("2 of") and text(page, "right-caption") == "evening.png"
    ActionChains(page).send_keys(Keys.ESCAPE).perform()
    until(page, lambda: not page.find_element(By.ID, "compare").is_displayed())
    links = page.find_elements(By.CSS_SELECTOR, "#search-exports a")
    assert [one.get_attribute("href").rpartition("/")[2] for one in links] == ["csv", "json", "annotations"]


def test_a_box_is_drawn_and_found_with_the_keyboard_alone(page):
    link = page.find_element(By.PARTIAL_LINK_TEXT, "storm.png")
    for _ in range(20):
        ActionChains(page).send_keys(Keys.TAB).perform()
        if page.switch_to.active_element == link:
            break
    ActionChains(page).send_keys(Keys.ENTER).perform()
    until(page, lambda: text(page, "picture-name") == "storm.png")
    stage = page.find_element(By.ID, "stage")
    for _ in range(20):
        ActionChains(page).send_keys(Keys.TAB).perform()
        if page.switch_to.active_element == stage:
            break
    keys = ActionChains(page).send_keys(Keys.ARROW_RIGHT, *[Keys.ARROW_RIGHT] * 12, *[Keys.ARROW_UP] * 3)
    keys.key_down(Keys.SHIFT).send_keys(*[Keys.ARROW_RIGHT] * 15, *[Keys.ARROW_DOWN] * 27).key_up(Keys.SHIFT).perform()
    box = [int(page.find_element(By.ID, f"box-{axis}").get_attribute("value")) for axis in "xywh"]
    assert box == [240, 120, 195, 225]
    ActionChains(page).send_keys(Keys.ENTER).perform()
    assert "harbour.png" in " ".join(matches(page)[:2])


def test_a_box_that_is_missing_is_told(page):
    opened(page, "hills.png")
    page.find_element(By.ID, "find").click()
    assert "There is no box yet" in text(page, "error")


def test_repeated_details_are_found_and_compared(page):
    page.find_element(By.LINK_TEXT, "Repeated details").click()
    until(page, lambda: page.find_element(By.ID, "discover").is_displayed())
    page.find_element(By.ID, "discover").click()
    until(page, lambda: "All pictures are compared" in text(page, "discovery-text"))
    until(page, lambda: len(page.find_elements(By.CSS_SELECTOR, ".cluster .pair")) == 3)
    page.find_element(By.CSS_SELECTOR, ".cluster .pair").click()
    until(page, lambda: page.find_elements(By.CSS_SELECTOR, "#left circle"))
    assert "points agree" in text(page, "compare-hint")


def test_a_picture_that_is_not_there_is_told(page, address):
    page.get(f"{address}/#/picture/{'0' * 64}")
    until(page, lambda: text(page, "error"))
    assert "There is no such picture here" in text(page, "error")
