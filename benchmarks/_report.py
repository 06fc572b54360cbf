"""What every benchmark prints: its last line of stdout is one JSON object with machine, rows and checks."""

import argparse
import json
import operator
import os
import platform
from collections.abc import Sequence
from typing import Any

OPERATORS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "==": operator.eq}


def arguments(description: str, **more: str) -> argparse.Namespace:
    """The command line of a benchmark: --quick runs fewer cases, within 60 s once set up. more: options of its own with
    what they mean, each takes a word."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="fewer cases, within 60 s")
    for name, meaning in more.items():
        parser.add_argument(f"--{name}", help=meaning)
    return parser.parse_args()


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def check(name: str, value: float, op: str, target: float) -> dict[str, Any]:
    """One figure against its target."""
    return {
        "name": name,
        "value": value,
        "op": op,
        "target": target,
        "ok": bool(OPERATORS[op](value, target)),
    }


def finish(rows: Sequence[dict[str, Any]], checks: Sequence[dict[str, Any]], quick: bool) -> None:
    """Print a table for people, then the JSON line for scripts."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = [columns, *([_cell(row.get(name, "")) for name in columns] for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(columns))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    for one in checks:
        verdict = "ok" if one["ok"] else "FALLS SHORT"
        print(f"{verdict}: {one['name']} = {_cell(one['value'])} ({one['op']} {one['target']})")
    if quick:
        print("quick: fewer cases than the full benchmark, so the figures are rougher")
    print(json.dumps({"machine": machine(), "quick": quick, "rows": list(rows), "checks": list(checks)}))


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
