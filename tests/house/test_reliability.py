"""The table of faults in docs/reliability.md is that of the tests."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def faults() -> list[tuple[str, str]]:
    """What the marks `fault` of all tests say."""
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "fault":
                what, outcome = (ast.literal_eval(argument) for argument in node.args)
                found.append((what, outcome))
    return found


def test_every_fault_that_is_tested_stands_in_the_table_and_no_other():
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("|") and line.endswith("survived |")]
    wanted = {f"| {what} | {outcome} | survived |" for what, outcome in faults()}
    assert set(rows) == wanted
    assert len(wanted) >= 20
