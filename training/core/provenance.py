"""Which version of the code made a result."""

import subprocess
from pathlib import Path


def commit() -> str:
    """The checkout's commit, with "-modified" where tracked files differ from it; "unknown" outside a checkout."""
    folder = Path(__file__).resolve().parent
    try:
        head = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", "..", "../../sim")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head[:12]}{'-modified' if changed else ''}"


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()
