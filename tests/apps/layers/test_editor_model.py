"""The layer editor's document and its arithmetic of pixels, which know no page: as modules in a browser."""

import numpy as np
import pytest
from fixtures_serving import needs_browser

from perception.layers.grid import pixel_centres
from perception.layers.layer import Gradient, Layer
from perception.layers.rendering import colours_at

pytestmark = needs_browser


@pytest.fixture
def run(browser, address):
    """What a script gives, of modules of the page."""
    browser.get(f"{address}/pages/icon.svg")  # of the same origin, and without the editor

    def call(module, script, *arguments):
        told = browser.execute_async_script(
            "const done = arguments[arguments.length - 1], [module, script, given] = arguments;"
            "import('/pages/' + module).then((m) => done({ value: CALLS[script](m, ...given) }))"
            ".catch((error) => done({ error: String(error) }));".replace("CALLS", CALLS),
            module, script, list(arguments),
        )  # fmt: skip
        assert "error" not in told, told["error"]
        return told["value"]

    return call


# What is called: a page may not make code from text (Content-Security-Policy), so that scripts are whole.
CALLS = """({
  commands: (m, layers, commands) => {
    const history = new m.History(m.opened(layers)), all = [];
    for (const command of commands) {
      if (command === "undo" || command === "redo" || command === "end") history[command]();
      else history.run(command, command.goesOn);
      all.push(m.asSaved(history.layers));
    }
    return { all, list: history.list(), done: history.done, changed: history.changed };
  },
  colours: (m, texts) => texts.map(m.fromHexadecimal),
  paint: (m, layer) => m.paint(layer),
  sandwich: (m, size, layers, area, active, transparent, change) => {
    const items = layers.map((layer) => ({ ...layer, size, plane: m.plane(...size, Uint8Array.from(layer.mask)) }));
    const made = new m.Sandwich(area, items, active, transparent);
    const first = [...made.image.data];
    const changed = change ? made.change({ ...items[active], ...change }) : null;
    return { first, second: [...made.image.data], changed };
  },
  halved: (m, size, mask) => { const { width, height, data, box } = m.halved(m.plane(...size, Uint8Array.from(mask)));
    return { width, height, data: [...data], box }; },
  united: (m, size, masks) => [...m.united(masks.map((mask) => m.plane(...size, Uint8Array.from(mask)))).data],
  border: (m, size, mask, step) => m.border(m.plane(...size, Uint8Array.from(mask)), step),
})"""


def layer(name, mask, colour=(0.5, 0.5, 0.5)):
    return {"name": name, "masks": [mask], "colour": list(colour), "lightness": 0, "gradient": None, "opacity": 1,
            "visible": True}  # fmt: skip


THREE = [layer("low", 0), layer("middle", 1), layer("top", 2)]


def names(layers):
    return [one["name"] for one in layers]


def test_commands_are_done_undone_and_done_again(run):
    red = {"do": "set", "ids": [0, 2], "field": "colour", "value": [1, 0, 0]}
    told = run("model.js", "commands", THREE, [red, {"do": "move", "id": 0, "to": 2}, {"do": "delete", "ids": [1]},
                                               "undo", "undo", "undo", "undo", "redo", "redo"])  # fmt: skip
    coloured, moved, deleted, *undone = told["all"]
    assert [one["colour"] for one in coloured] == [[1, 0, 0], [0.5, 0.5, 0.5], [1, 0, 0]]
    assert names(moved) == ["middle", "top", "low"] and names(deleted) == ["top", "low"]
    assert undone == [moved, coloured, THREE, THREE, coloured, moved]
    assert told["list"] == ["Recolour 2 layers", "Move low", "Delete middle"] and told["done"] == 2 and told["changed"]


def test_a_command_after_undo_takes_the_place_of_what_was_undone(run):
    rename = {"do": "set", "ids": [0], "field": "name", "value": "sea"}
    hide = {"do": "set", "ids": [1], "field": "visible", "value": False}
    told = run("model.js", "commands", THREE, [rename, hide, "undo", {"do": "delete", "ids": [2]}, "redo"])
    assert names(told["all"][-1]) == ["sea", "middle"] and told["all"][-1][1]["visible"]
    assert told["list"] == ["Rename low", "Delete top"]


def test_a_slider_that_is_dragged_is_one_command(run):
    def dark(value, goes_on=True, ids=(1,)):
        return {"do": "set", "ids": list(ids), "field": "lightness", "value": value, "goesOn": goes_on}

    commands = [dark(-0.1), dark(-0.2), dark(-0.3), "end", dark(0.4), dark(0.5, ids=(2,)), "undo", "undo"]
    told = run("model.js", "commands", THREE, commands)
    assert len(told["list"]) == 3
    assert [one["lightness"] for one in told["all"][-1]] == [0, -0.3, 0]


def test_merged_layers_are_one_with_all_masks_where_and_as_the_topmost_was(run):
    four = [*THREE, layer("over", 3)]
    merges = [{"do": "merge", "ids": [2, 0]}, {"do": "merge", "ids": [1, 2]}]
    told = run("model.js", "commands", four, [*merges, "undo", "undo"])
    assert names(told["all"][0]) == ["middle", "top", "over"]
    assert told["all"][0][1] == layer("top", 2) | {"masks": [2, 0]}
    assert told["all"][1] == [layer("top", 2) | {"masks": [2, 0, 1]}, four[3]]
    assert told["all"][3] == four and not told["changed"]


def test_colours_are_read_as_digits_alone(run):
    found = run("model.js", "colours", ["#ff0080", "fff", " #000000 ", "red", "#12345", "url(x)", ""])
    assert found == [[1, 0, 0.501961], [1, 1, 1], [0, 0, 0], None, None, None, None]


@pytest.mark.parametrize("lightness", [-1, -0.3, 0, 0.6, 1])
def test_colours_are_seen_as_the_library_says(run, lightness):
    gradient = {"colour": [0, 0.5, 1], "start": [0, 0], "end": [1, 1]}
    found = run("model.js", "paint", layer("it", 0, (0.2, 0.4, 0.9)) | {"lightness": lightness, "gradient": gradient})
    same = Layer(np.zeros(3, np.float32), np.array([0.2, 0.4, 0.9]), lightness=lightness,
                 gradient=Gradient(np.array([0, 0.5, 1]), (0, 0), (1, 1)))  # fmt: skip
    np.testing.assert_allclose(found, same.paint, atol=1e-6)


WIDTH, HEIGHT = 23, 17


def made_layers():
    """Four random layers, one of them with a gradient; some parts of masks are 0, and some 1."""
    rng = np.random.default_rng(3)
    layers, masks = [], []
    for number in range(4):
        masks.append(np.clip(rng.integers(-200, 460, (HEIGHT, WIDTH)), 0, 255))
        gradient = Gradient(rng.uniform(0, 1, 3), (-0.5, 0.1), (0.4, 0.6)) if number == 1 else None
        colour, opacity = rng.uniform(0, 1, 3), rng.uniform(0.3, 1)
        layers.append(Layer(np.zeros(3, np.float32), colour, opacity=opacity, gradient=gradient))
    masks[2][:, :8] = 0
    return layers, masks


def items(layers, masks):
    return [
        {"mask": mask.ravel().tolist(), "opacity": one.opacity,
         "colours": (65535 * one.paint.reshape(-1, 3)).tolist(),
         "gradient": one.gradient and {"start": one.gradient.start, "end": one.gradient.end}}
        for one, mask in zip(layers, masks, strict=True)
    ]  # fmt: skip


def expected(layers, masks, transparent):
    """(H, W, 4) in [0, 255], colours not multiplied."""
    canvas = np.zeros((HEIGHT, WIDTH, 4))
    canvas[..., 3] = 0 if transparent else 1
    for one, mask in zip(layers, masks, strict=True):
        paint = np.broadcast_to(colours_at(one, WIDTH, HEIGHT), (HEIGHT, WIDTH, 3))
        paint = np.concatenate([paint, np.ones((HEIGHT, WIDTH, 1))], axis=2)
        canvas += one.opacity * mask[..., None] / 255 * (paint - canvas)
    canvas[..., :3] /= np.maximum(canvas[..., 3:], 1e-9)
    return 255 * canvas


@pytest.mark.parametrize("transparent", [True, False])
@pytest.mark.parametrize("active", [-1, 0, 1, 2, 3])
def test_pixels_are_those_of_the_library(run, active, transparent):
    layers, masks = made_layers()
    wanted = expected(layers, masks, transparent)
    for area in ([0, 0, WIDTH, HEIGHT], [5, 3, 11, 9]):
        found = run("pixels.js", "sandwich", [WIDTH, HEIGHT], items(layers, masks), area, active, transparent, None)
        left, top, width, height = area
        pixels = np.array(found["first"]).reshape(height, width, 4)
        part = wanted[top : top + height, left : left + width]
        shown = part[..., 3] > 8  # of what is nearly nothing the colour is rounded much
        assert np.abs(pixels - part)[shown].max() <= 1 and np.abs(pixels - part)[..., 3].max() <= 1


@pytest.mark.parametrize("change", [{"opacity": 0.2}, {"opacity": 0}, {"colours": [[65535, 0, 0]]}])
def test_a_change_of_one_layer_is_as_if_all_were_painted_again(run, change):
    layers, masks = made_layers()
    area = [0, 0, WIDTH, HEIGHT]
    given = items(layers, masks)
    found = run("pixels.js", "sandwich", [WIDTH, HEIGHT], given, area, 2, True, change)
    anew = run("pixels.js", "sandwich", [WIDTH, HEIGHT], [*given[:2], given[2] | change, given[3]], area, 2, True, None)
    assert found["second"] == anew["first"] != found["first"]
    assert found["changed"] == [8, 0, WIDTH - 8, HEIGHT]


def test_masks_are_halved_and_united(run):
    _, masks = made_layers()
    small = run("pixels.js", "halved", [WIDTH, HEIGHT], masks[2].ravel().tolist())
    even = np.pad(masks[2], ((0, 1), (0, 1)), mode="edge").reshape(9, 2, 12, 2).mean(axis=(1, 3))
    assert (small["width"], small["height"], small["box"]) == (12, 9, [4, 0, 12, 9])
    np.testing.assert_array_equal(np.array(small["data"]).reshape(9, 12), np.floor(even + 0.5))
    both = run("pixels.js", "united", [WIDTH, HEIGHT], [masks[0].ravel().tolist(), masks[1].ravel().tolist()])
    outside = (1 - masks[0] / 255) * (1 - masks[1] / 255)
    assert np.abs(np.array(both) - 255 * (1 - outside).ravel()).max() <= 0.51


@pytest.mark.parametrize("most", [255, 60])
def test_the_border_of_a_disc_is_its_circle(run, most):
    x, y = (pixel_centres(64, 48) * (32, 24) + (32, 24)).T
    mask = np.clip(most / 2 + 0.15 * most * (15 - np.hypot(x - 30, y - 20)), 0, most).astype(int)
    lines = np.array(run("pixels.js", "border", [64, 48], mask.tolist(), 1)).reshape(-1, 2)
    assert len(lines) > 100 and np.abs(np.hypot(*(lines - (30, 20)).T) - 15).max() < 0.3
