"""The layer editor in a browser without a screen: how long from a new colour until the picture is painted with it."""

import shutil
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from perception.layers.layer import Decomposition
from perception.layers.network import LayersNetwork

PATIENCE_S = 300
RECOLOURS = 30
# From the event of a field until after the frame in which the canvas was painted: the editor and this ask for the same
# frame, and a message that is posted in it comes when it is done.
MEASURED = """
const WARM = 4, [count] = arguments, done = arguments[arguments.length - 1];
const field = document.getElementById('colour-picker');
const canvas = document.getElementById('picture'), context = canvas.getContext('2d'), seconds = [], seen = new Set();
const painted = () => new Promise((resolve) => requestAnimationFrame(() => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = resolve;
  port2.postMessage(null);
}));
(async () => {
  for (let number = 0; number < count + WARM; number++) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    const began = performance.now();
    field.value = number % 2 ? '#d02040' : '#2040d0';
    field.dispatchEvent(new Event('input', { bubbles: true }));
    await painted();
    seconds.push((performance.now() - began) / 1000);
    if (number < WARM) seen.add(String(context.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data));
  }
  done({ seconds: seconds.slice(WARM), looks: seen.size, size: [canvas.width, canvas.height] });
})();
"""


def recolouring(network: LayersNetwork, made: Decomposition, quick: bool) -> list[dict[str, Any]]:
    """Rows for a window of 1280 x 800 px, all of the picture and every pixel of it shown, and unless it is to be quick
    for one in which all of its 3840 x 2160 px are; none, and why, where there is no browser."""
    try:
        import uvicorn
        from selenium import webdriver

        from apps.layers.server import served
        from apps.layers.workspace import Settings, Workspace
    except ModuleNotFoundError as error:
        print(f"skipped: the editor needs {error.name}")
        return []
    browser, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not (browser and driver):
        print("skipped: there is no browser for the editor; apt-get install chromium chromium-driver")
        return []
    workspace = Workspace(lambda _: network, Settings(longer=3840))
    began = time.perf_counter()
    workspace.open_project("it.json", made)
    if not workspace.wait(PATIENCE_S):
        raise TimeoutError(f"the masks took more than {PATIENCE_S} s")
    rows = [{"method": "editor: masks, once", "of": "3840 x 2160 px", "layers": len(made.layers),
             "s": time.perf_counter() - began}]  # fmt: skip
    with served(workspace) as app, TemporaryDirectory() as folder:
        server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", 0, log_level="warning", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        for label, window, zoom in WAYS[:2] if quick else WAYS:
            options = webdriver.ChromeOptions()
            options.binary_location = browser
            for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", f"--window-size={window}"):
                options.add_argument(word)
            options.add_argument(f"--user-data-dir={Path(folder) / label.replace(' ', '-')}")
            page = webdriver.Chrome(options, webdriver.ChromeService(driver))
            try:
                rows.append({"method": f"editor: recolour, {label}", "of": "3840 x 2160 px", "layers": len(made.layers)}
                            | _measured(page, address, zoom))  # fmt: skip
            finally:
                page.quit()
        server.should_exit = True
        thread.join()
    return rows


WAYS = (
    ("all shown in 1280 x 800", "1280,800", False),
    ("pixel by pixel in 1280 x 800", "1280,800", True),
    ("all pixels in 4200 x 2400", "4200,2400", False),
)


def _measured(page: Any, address: str, zoom: bool) -> dict[str, Any]:
    """Median of recolours of the topmost layer in the middle, s."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    page.set_script_timeout(PATIENCE_S)
    page.get(address)
    WebDriverWait(page, PATIENCE_S).until(lambda p: p.find_elements(By.CSS_SELECTOR, "#layers .pick"))
    if zoom:
        page.find_element(By.ID, "stage").send_keys("1")
    ActionChains(page).move_to_element(page.find_element(By.ID, "stage")).click().perform()
    found = page.execute_async_script(MEASURED, RECOLOURS)
    if found["looks"] < 2:
        raise RuntimeError("the picture did not change as it was recoloured")
    return {"s": float(np.median(found["seconds"])), "slowest s": float(np.max(found["seconds"])),
            "canvas": "{} x {}".format(*found["size"])}  # fmt: skip
