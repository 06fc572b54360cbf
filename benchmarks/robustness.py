"""What is survived: runs every test of a fault, and makes of them the table that docs/reliability.md has.

The tests are those of the suite that are marked `fault(what, outcome)`; the full run works for an hour where the suite
does for seconds.
"""

import os
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from _report import arguments, check, finish

ROOT = Path(__file__).resolve().parents[1]
SOAK_S = 3600.0


class Outcomes:
    """A plugin of pytest that keeps what became of each fault."""

    def __init__(self) -> None:
        self.faults: dict[str, tuple[str, str]] = {}
        self.results: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.seconds: dict[tuple[str, str], float] = defaultdict(float)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note which test is of which fault."""
        for item in items:
            if (mark := item.get_closest_marker("fault")) is not None:
                self.faults[item.nodeid] = mark.args

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count it; a set-up that fails counts as the test."""
        fault = self.faults[report.nodeid]
        self.seconds[fault] += report.duration
        if report.when == "call" or not report.passed:
            self.results[fault][report.outcome] += 1

    def rows(self) -> list[dict[str, Any]]:
        """One for each fault, in the order of the tests."""
        found = []
        for fault in dict.fromkeys(self.faults.values()):
            counts = self.results[fault]
            failed, skipped = counts["failed"], counts["skipped"]
            result = "not survived" if failed else "not run here" if skipped and not counts["passed"] else "survived"
            what, outcome = fault
            found.append(
                {
                    "fault": what,
                    "what happens": outcome,
                    "result": result,
                    "tests": counts["passed"] + failed,
                    "seconds": round(self.seconds[fault], 1),
                }
            )
        return found


def main() -> None:
    """Run the tests and print the table; --quick works on for twenty seconds in place of an hour."""
    quick = arguments(__doc__ or "").quick
    if not quick:
        os.environ["BLOCKWORLD_SOAK_S"] = str(SOAK_S)
    os.chdir(ROOT)
    outcomes, begin = Outcomes(), time.monotonic()
    pytest.main(["-m", "fault", "-q", "--no-header", "-p", "no:cacheprovider", "tests"], plugins=[outcomes])
    rows = outcomes.rows()
    print(f"{len(rows)} faults in {time.monotonic() - begin:.0f} s\n")
    print("| fault | what happens | result |\n|---|---|---|")
    for row in rows:
        print(f"| {row['fault']} | {row['what happens']} | {row['result']} |")
    print()
    bad = sum(row["result"] == "not survived" for row in rows)
    finish(rows, [check("faults not survived", bad, "==", 0), check("faults tried", len(rows), ">", 0)], quick)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
