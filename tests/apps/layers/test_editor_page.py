"""Layers edited on the page in a browser without a screen: by mouse and by keyboard."""

import numpy as np
import pytest
from fixtures_discs import PLACES, SIZE, DiscNetwork
from fixtures_editor_page import (
    TOPMOST_FIRST,
    click_at,
    colour_of,
    history,
    names,
    one,
    pick,
    press,
    row,
    saved,
    seen_at,
    selected,
    type_into,
)
from fixtures_serving import needs_browser, until
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from perception.layers.rendering import render, to_rgba

pytestmark = needs_browser


def test_the_picture_is_shown_as_it_is(page):
    for name, (x, y, _, _) in PLACES.items():
        if name != "sea":
            assert seen_at(page, x, y) == pytest.approx(colour_of(name), abs=1)
    assert seen_at(page, 10, 110) == pytest.approx(colour_of("sea"), abs=1)
    assert seen_at(page, 3, 3) in ([255, 255, 255, 255], [233, 235, 239, 255])  # checks, where nothing is


def test_a_click_selects_the_topmost_layer_there(page):
    assert selected(page) == []
    for name, place in (("sail", (60, 50)), ("boat", (40, 70)), ("sun", (120, 30)), ("sea", (140, 90))):
        click_at(page, *place)
        assert selected(page) == [name] and one(page, "selected").text == name
    row(page, "sail").find_element(By.CLASS_NAME, "eye").click()
    click_at(page, 60, 50)
    assert selected(page) == ["boat"]
    click_at(page, 120, 30, Keys.CONTROL)
    assert selected(page) == ["boat", "sun"]
    click_at(page, 2, 2)
    assert selected(page) == [] and not one(page, "fields").is_displayed()


def test_a_layer_is_hidden_and_shown(page):
    eye = row(page, "sail").find_element(By.CLASS_NAME, "eye")
    assert eye.get_attribute("aria-label") == "Hide sail"
    eye.click()
    assert seen_at(page, 60, 50) == pytest.approx(colour_of("boat"), abs=1)
    assert eye.get_attribute("aria-label") == "Show sail" and eye.get_attribute("aria-pressed") == "false"
    eye.click()
    assert seen_at(page, 60, 50) == pytest.approx(colour_of("sail"), abs=1)


def test_a_recolour_is_seen_at_once_undone_and_done_again(page, workspace):
    click_at(page, 40, 70)
    type_into(page, "colour", "#00ff00")
    assert seen_at(page, 40, 70) == [0, 255, 0, 255]
    assert one(page, "changed").is_displayed() and page.title.startswith("•")
    one(page, "undo").click()
    assert seen_at(page, 40, 70) == pytest.approx(colour_of("boat"), abs=1)
    assert not one(page, "undo").is_enabled() and not one(page, "changed").is_displayed()
    one(page, "redo").click()
    assert seen_at(page, 40, 70) == [0, 255, 0, 255]
    page.find_element(By.CSS_SELECTOR, "#swatches [title='#ffcc00']").click()
    assert seen_at(page, 40, 70) == pytest.approx(colour_of("sun"), abs=1)
    made = saved(page, workspace)
    np.testing.assert_allclose(made.layers[2].colour, PLACES["sun"][3], atol=0.01)
    assert not one(page, "changed").is_displayed()


def test_a_colour_that_is_none_is_marked_and_changes_nothing(page):
    click_at(page, 40, 70)
    field = one(page, "colour")
    before = field.get_attribute("value")
    field.click()
    press(page, "a", held=[Keys.CONTROL])
    press(page, "javascript:alert(1)")
    assert field.get_attribute("aria-invalid") == "true"
    press(page, Keys.TAB)
    assert field.get_attribute("value") == before and not one(page, "undo").is_enabled()


def test_lightness_and_opacity_are_set_by_keys_and_dragging_is_one_step(page, workspace):
    click_at(page, 40, 70)
    one(page, "lightness").click()
    press(page, "a", held=[Keys.CONTROL])
    press(page, "-50", Keys.TAB)
    half = [*(value // 2 for value in colour_of("boat")[:3]), 255]
    assert seen_at(page, 40, 70) == pytest.approx(half, abs=1)
    slider = one(page, "opacity-slider")
    drag = ActionChains(page).move_to_element(slider).click_and_hold()
    drag.move_by_offset(-8, 0).move_by_offset(-8, 0).release().perform()
    opacity = int(one(page, "opacity").get_attribute("value"))
    assert 5 < opacity < 50
    assert [each.text for each in history(page)] == ["As it was opened", "Lightness of boat", "Opacity of boat"]
    history(page)[1].click()
    assert one(page, "opacity").get_attribute("value") == "100" and seen_at(page, 40, 70) == pytest.approx(half, abs=1)
    history(page)[2].click()
    made = saved(page, workspace)
    assert made.layers[2].lightness == -0.5 and made.layers[2].opacity == opacity / 100


def test_a_gradient_is_made_turned_and_its_end_moved_by_mouse_and_keys(page, workspace):
    click_at(page, 120, 30)
    one(page, "gradient").click()
    type_into(page, "second", "0000ff")
    left, right = seen_at(page, 107, 30), seen_at(page, 133, 30)
    assert left[0] > right[0] + 100 and right[2] > left[2] + 100
    type_into(page, "angle", "90")
    upper, lower = seen_at(page, 120, 17), seen_at(page, 120, 43)
    assert upper[0] > lower[0] + 100 and one(page, "angle").get_attribute("value") == "90"
    handle = one(page, "handle-end")
    ActionChains(page).click_and_hold(handle).move_by_offset(30, -60).move_by_offset(30, -40).release().perform()
    by_mouse = saved(page, workspace).layers[1].gradient
    assert by_mouse.end[0] > by_mouse.start[0] and selected(page) == ["sun"]
    handle.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    by_keys = saved(page, workspace).layers[1].gradient
    assert by_keys.end[1] > by_mouse.end[1] and by_keys.end[0] == pytest.approx(by_mouse.end[0], abs=1e-3)
    one(page, "gradient").click()
    assert seen_at(page, 107, 30) == pytest.approx(colour_of("sun"), abs=1) and not handle.is_displayed()


def test_layers_are_ordered_by_buttons_keys_and_dragging(page, workspace):
    click_at(page, 40, 70)
    one(page, "raise").click()
    assert names(page) == ["boat", "sail", "sun", "sea"] and not one(page, "raise").is_enabled()
    assert seen_at(page, 60, 50) == pytest.approx(colour_of("boat"), abs=1)
    pick(page, "boat")
    press(page, Keys.ARROW_DOWN, Keys.ARROW_DOWN, held=[Keys.ALT])
    assert names(page) == ["sail", "sun", "boat", "sea"]
    source, target = (row(page, name).find_element(By.CLASS_NAME, "pick") for name in ("sail", "sea"))
    chain = ActionChains(page).click_and_hold(source).move_to_element_with_offset(target, 0, 5)
    chain.move_to_element_with_offset(target, 0, 12).release().perform()
    assert names(page) == ["sun", "boat", "sea", "sail"]
    assert [layer.name for layer in saved(page, workspace).layers] == ["sail", "sea", "boat", "sun"]


def test_a_layer_is_renamed(page, workspace):
    ActionChains(page).double_click(row(page, "boat").find_element(By.CLASS_NAME, "pick")).perform()
    press(page, "<img src=x onerror=alert(1)>", Keys.ENTER)
    assert names(page) == ["sail", "<img src=x onerror=alert(1)>", "sun", "sea"]
    press(page, Keys.F2)
    press(page, "never", Keys.ESCAPE)
    assert names(page)[1].startswith("<img")
    press(page, Keys.F2)
    press(page, "ship", Keys.ENTER)
    assert [layer.name for layer in saved(page, workspace).layers] == ["sea", "sun", "ship", "sail"]


def test_layers_are_merged_and_are_apart_again_after_undo(page, workspace):
    pick(page, "sail")
    pick(page, "sun", Keys.CONTROL)
    assert selected(page) == ["sail", "sun"]
    one(page, "merge").click()
    assert names(page) == ["sail", "boat", "sea"] and selected(page) == ["sail"]
    assert seen_at(page, 120, 30) == pytest.approx(colour_of("sail"), abs=1)
    type_into(page, "colour", "#ff00ff")
    assert seen_at(page, 120, 30) == seen_at(page, 60, 50) == [255, 0, 255, 255]
    made = saved(page, workspace)
    pixel = to_rgba(render(DiscNetwork(), made, *SIZE))
    assert pixel[30, 120].tolist() == pixel[50, 60].tolist() == [255, 0, 255, 255]
    one(page, "merge").click()  # with the one below
    assert names(page) == ["sail", "sea"]
    for _ in range(3):
        one(page, "undo").click()
    assert names(page) == TOPMOST_FIRST
    assert seen_at(page, 120, 30) == pytest.approx(colour_of("sun"), abs=1)


def test_a_layer_is_deleted(page):
    pick(page, "sail")
    one(page, "delete").click()
    assert names(page) == ["boat", "sun", "sea"] and selected(page) == ["boat"]
    press(page, Keys.DELETE)
    assert names(page) == ["sun", "sea"]
    press(page, "z", held=[Keys.CONTROL])
    assert names(page) == ["boat", "sun", "sea"]
    for _ in range(3):
        one(page, "delete").click()
    assert names(page) == [] and one(page, "no-layers").is_displayed()
    assert seen_at(page, 10, 110) in ([255, 255, 255, 255], [233, 235, 239, 255])


def test_everything_is_reached_by_keyboard_and_where_it_is_is_seen(page):
    page.execute_script("document.activeElement.blur()")
    reached = set()
    pick(page, "sun")
    one(page, "gradient").click()
    page.execute_script("document.activeElement.blur(); getSelection().removeAllRanges()")
    for _ in range(60):
        press(page, Keys.TAB)
        element = page.switch_to.active_element
        name = element.get_attribute("id") or element.get_attribute("class") or element.tag_name
        if element.tag_name != "body":
            outline = page.execute_script("return getComputedStyle(arguments[0]).outlineStyle", element)
            assert outline != "none", name
            label = page.execute_script(
                "const e = arguments[0]; return e.ariaLabel || e.textContent || (e.labels && e.labels.length)", element
            )
            assert label, name
        reached.add(name)
    assert {
        "open", "export", "undo", "stage", "handle-start", "handle-end", "zoom-in", "zoom-fit", "eye", "pick", "raise",
        "lower", "rename", "merge", "delete", "colour-picker", "colour", "lightness-slider", "lightness",
        "opacity-slider", "gradient", "second", "angle-slider", "summary", "skip",
    } <= reached  # fmt: skip
    row(page, "sun").find_element(By.CLASS_NAME, "pick").send_keys(Keys.ARROW_DOWN)
    assert selected(page) == ["sea"]
    press(page, Keys.HOME)
    press(page, Keys.ARROW_DOWN, held=[Keys.SHIFT])
    assert selected(page) == ["sail", "boat"]


def test_the_picture_is_zoomed_and_moved_and_a_click_is_still_where_it_seems(page):
    stage = one(page, "stage")
    fitted = one(page, "zoom").text
    one(page, "zoom-in").click()
    stage.send_keys("+", "+", Keys.ARROW_RIGHT)
    until(page, lambda: int(one(page, "zoom").text.split()[0]) > 1.9 * int(fitted.split()[0]) - 2)
    middle = ActionChains(page).move_to_element(stage)
    middle.click_and_hold().move_by_offset(200, 150).move_by_offset(200, 150).release().perform()
    ActionChains(page).move_to_element(stage).click().perform()
    shown = seen_at(page, SIZE[0] / 2, SIZE[1] / 2)  # of the stage, its middle, whatever is there now
    assert shown == pytest.approx(colour_of(selected(page)[0]), abs=1)
    stage.send_keys("0")
    until(page, lambda: one(page, "zoom").text == fitted)
