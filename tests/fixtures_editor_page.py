"""What tests of the layer editor's page do on it, and what they see."""

from fixtures_discs import PLACES, SIZE
from fixtures_serving import until
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from perception.layers.project import from_json

TOPMOST_FIRST = ["sail", "boat", "sun", "sea"]


def one(page, name):
    return page.find_element(By.ID, name)


def names(page):
    return [each.text for each in page.find_elements(By.CSS_SELECTOR, "#layers .name")]


def selected(page):
    return [each.text for each in page.find_elements(By.CSS_SELECTOR, "#layers li.selected .name")]


def row(page, name):
    return page.find_element(By.XPATH, f"//ul[@id='layers']/li[.//span[text()='{name}']]")


def pick(page, name, *held):
    button, keys = row(page, name).find_element(By.CLASS_NAME, "pick"), ActionChains(page)
    for key in held:
        keys.key_down(key)
    keys.click(button)
    for key in held:
        keys.key_up(key)
    keys.perform()


def press(page, *keys, held=()):
    chain = ActionChains(page)
    for key in held:
        chain.key_down(key)
    chain.send_keys(*keys)
    for key in held:
        chain.key_up(key)
    chain.perform()


def on_stage(page, x, y):
    """CSS px from the stage's middle, of a place in px of the picture of SIZE, all of which is seen."""
    stage = one(page, "stage")
    width, height = page.execute_script("return [arguments[0].clientWidth, arguments[0].clientHeight]", stage)
    scale = min((width - 48) / SIZE[0], (height - 48) / SIZE[1])
    return round((x - SIZE[0] / 2) * scale), round((y - SIZE[1] / 2) * scale)


def click_at(page, x, y, *held):
    chain = ActionChains(page)
    for key in held:
        chain.key_down(key)
    chain.move_to_element_with_offset(one(page, "stage"), *on_stage(page, x, y)).click()
    for key in held:
        chain.key_up(key)
    chain.perform()


def seen_at(page, x, y):
    """What the canvas shows there, (4,)."""
    across, down = on_stage(page, x, y)
    return page.execute_async_script(
        "const done = arguments[2], [across, down] = arguments, canvas = document.getElementById('picture');"
        "requestAnimationFrame(() => requestAnimationFrame(() => done([...canvas.getContext('2d').getImageData("
        "canvas.width / 2 + across * devicePixelRatio, canvas.height / 2 + down * devicePixelRatio, 1, 1).data])));",
        across, down,
    )  # fmt: skip


def colour_of(name):
    return [*(round(255 * value) for value in PLACES[name][3]), 255]


def type_into(page, name, text):
    field = one(page, name)
    field.click()
    press(page, "a", held=[Keys.CONTROL])
    press(page, text, Keys.TAB)


def downloaded(page, downloads, name):
    path = downloads / name
    until(page, path.exists)
    content = path.read_bytes()
    path.unlink()
    return content


def saved(page, workspace):
    """The project as the page saves it."""
    workspace.saved.clear()
    one(page, "save").click()
    until(page, lambda: workspace.saved)
    until(page, lambda: one(page, "save").is_enabled())
    return from_json(workspace.saved[-1])


def history(page):
    if not one(page, "history").is_displayed():
        page.find_element(By.CSS_SELECTOR, ".history summary").click()
    return page.find_elements(By.CSS_SELECTOR, "#history button")
