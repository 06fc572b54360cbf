"""Write constraints.txt from pip's reports of what it would install, one report for each Python version.

For each Python, in a fresh virtual environment of it:

    pip install --dry-run --ignore-installed --report report-3.11.json \\
        -e '.[ros,sim,train,art,shapes,maps,openvino,ray,browser,dev]'

then: python scripts/update_constraints.py report-3.11.json report-3.12.json report-3.13.json
"""

import json
import re
import sys
from pathlib import Path

CONSTRAINTS = Path(__file__).resolve().parent.parent / "constraints.txt"
HEADER = """\
# Every version that this project was tested with, its dependencies' dependencies included; made by
# scripts/update_constraints.py for CPython 3.11 to 3.13 on Linux. The nvidia, cuda and triton packages are
# those of the CUDA build of torch, and play no part where its CPU build is installed.
"""


def pins(report: Path) -> dict[str, str]:
    """Version by normalized name (PEP 503) of each distribution, without local labels such as +cpu."""
    entries = (entry["metadata"] for entry in json.loads(report.read_text())["install"])
    return {re.sub(r"[-_.]+", "-", e["name"]).lower(): e["version"].partition("+")[0] for e in entries}


def main() -> int:
    """Merge the reports; 1 when two of them disagree, for then one file cannot serve both."""
    merged: dict[str, str] = {}
    for name in sys.argv[1:]:
        for package, version in pins(Path(name)).items():
            if merged.setdefault(package, version) != version:
                print(
                    f"{package} is {merged[package]} in one report and {version} in {name}; "
                    "bound it in pyproject.toml so that both agree",
                    file=sys.stderr,
                )
                return 1
    merged.pop("blockworld", None)
    CONSTRAINTS.write_text(
        HEADER + "".join(f"{name}=={version}\n" for name, version in sorted(merged.items()))
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
