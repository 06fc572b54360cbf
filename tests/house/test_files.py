"""What holds for every file of the repository: short ones, pinned dependencies, no local paths."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 400
# How a docstring says why its file is long.
REASON = re.compile(r"\blong(er)?\b.*\b(because|since|for)\b", re.IGNORECASE | re.DOTALL)


def tracked(pattern: str) -> list[Path]:
    """Files of the repository, also new ones that nobody has added yet."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so that what belongs to the repository is not known")
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [path for name in names if (path := ROOT / name).is_file()]


def constraints(name: str = "constraints.txt") -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    pins = (line.partition("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): version for name, _, version in pins}


def dependencies() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    required = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    named = [Requirement(text) for text in (*required, *(text for extra in extras for text in extra))]
    return [requirement for requirement in named if requirement.name != project["project"]["name"]]


def test_long_files_say_why():
    silent = []
    for path in tracked("*.py"):
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > LONGEST and not REASON.search(ast.get_docstring(ast.parse(text)) or ""):
            silent.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines")
    assert not silent


def test_every_dependency_is_pinned_to_a_version_that_it_allows():
    pins = constraints("constraints-photoreal.txt") | constraints()
    wrong = [
        str(d) for d in dependencies() if not d.specifier.contains(pins.get(canonicalize_name(d.name), "0"))
    ]
    missing = [d.name for d in dependencies() if canonicalize_name(d.name) not in pins]
    assert (missing, wrong) == ([], [])


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-photoreal.txt"])
def test_constraints_are_exact_and_sorted(name):
    lines = [line for line in (ROOT / name).read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line) for line in lines)
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0])


def test_runtime_and_simulator_need_no_torch():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    light = [
        *project["dependencies"],
        *(t for e in ("ros", "sim") for t in project["optional-dependencies"][e]),
    ]
    assert not {Requirement(text).name for text in light} & {"torch", "lightning-fabric"}


def test_the_licence_is_whole():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_ros_packages_have_the_version_of_the_distribution():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for manifest in (ROOT / "ros_ws" / "src").glob("*/package.xml"):
        assert f"<version>{version}</version>" in manifest.read_text(), manifest
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()
