"""The layer editor over layers that are discs: as an application, and as a server on a port."""

import pytest
from fixtures_discs import DiscNetwork, discs
from fixtures_editor_page import TOPMOST_FIRST, names
from fixtures_layers import small_bundle
from fixtures_serving import headless, running, until

from apps.layers.server import application
from apps.layers.workspace import Settings, Workspace
from perception.errors import BundleError
from perception.layers.network import LayersNetwork


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A real network, not trained, for pictures."""
    return LayersNetwork(small_bundle(tmp_path_factory.mktemp("layers")))


@pytest.fixture
def workspace(small):
    """With four discs open. What is saved is in its list `saved`."""

    def network(name):
        if name not in ("discs", "layers_small"):
            raise BundleError(f"there is no bundle {name}: train it.")
        return DiscNetwork() if name == "discs" else small

    saved = []
    settings = Settings("layers_small", layers=3, effort="fast", longer=320)
    found = Workspace(network, settings, saved.append)
    found.saved = saved
    found.open_project("boat.json", discs(), saves=True)
    assert found.wait(30)
    yield found
    found.close()


@pytest.fixture
def app(workspace):
    return application(workspace)


@pytest.fixture
def address(app):
    """Of a server on a free port."""
    with running(app) as found:
        yield found


@pytest.fixture(scope="session")
def downloads(tmp_path_factory):
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="session")
def browser(downloads):
    with headless(downloads) as driver:
        yield driver


@pytest.fixture
def page(browser, address):
    """The page with four discs; afterwards, nothing on it was blocked or failed that was not to."""
    browser.get_log("browser")  # what pages before have left
    browser.get(address)
    until(browser, lambda: names(browser) == TOPMOST_FIRST)
    browser.expected = []
    yield browser
    told = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert [one for one in told if not any(word in one for word in browser.expected)] == []
    browser.execute_script("addEventListener('beforeunload', (event) => event.stopImmediatePropagation(), true)")
