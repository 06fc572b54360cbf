"""The log of a training: a row for each evaluation."""

import json
from collections.abc import Mapping
from pathlib import Path


def log_row(out: Path, row: Mapping[str, float]) -> None:
    """Add a row to log.jsonl in a training's folder, which is made where it is missing."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
