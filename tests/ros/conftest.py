"""A DDS domain for this test session, and models of coloured discs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures_bundle import write_marker_bundles

from perception.ros_environment import free_domain_id, ros_environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def ros() -> Iterator[dict[str, str]]:
    """The environment of all nodes of the session, which is that of this process meanwhile."""
    pytest.importorskip("rclpy", reason="no ROS 2: neither the wheels of the extra `ros` nor a sourced one")
    environment = ros_environment(free_domain_id())
    # The sources come first: tests/perception would otherwise be taken for the package of that name.
    sources = (ROOT / "ros_ws" / "src" / "perception", ROOT, ROOT / "tests")
    environment["PYTHONPATH"] = ":".join(map(str, sources))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield environment


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder whose networks find coloured discs."""
    return write_marker_bundles(tmp_path_factory.mktemp("models"))
