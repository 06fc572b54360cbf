"""The main job, measured: episodes of the demo over real ROS 2 processes, as a user runs it.

The peer of the fine estimate is the coarse one of the same episodes: what looking closer is worth.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from _report import arguments, check, finish

EPISODES, QUICK_EPISODES = 20, 3
SEED = 100
WARM_LIMIT_S = 180.0
EPISODES_OF_LIMIT = 5


def main() -> None:
    """Run the demo in a folder that is thrown away, and print what its summary says."""
    options = arguments(__doc__ or "")
    episodes = QUICK_EPISODES if options.quick else EPISODES
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "demo"
        command = [sys.executable, "-c", "from blockworld.cli import main; main()", "demo", "--out", str(out)]
        choice = ["--episodes", str(episodes), "--seed", str(SEED)]
        subprocess.run([*command, *choice], check=True, stdout=sys.stderr)
        summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    rows = [
        {
            "stage": stage,
            "mean_mm": summary[f"mean_{stage}_error_m"] * 1e3,
            "median_mm": summary[f"median_{stage}_error_m"] * 1e3,
            "engine": summary["engine"],
        }
        for stage in ("coarse", "fine")
    ]
    rows.append({"stage": "pick", "success_rate": summary["success_rate"], "episodes": episodes})
    per_episode = summary["wall_s"] / episodes
    checks = [
        check("success rate: most blocks are picked", summary["success_rate"], ">", 0.5),
        check("wall time of 5 episodes, set up and warm (s)", per_episode * EPISODES_OF_LIMIT, "<=", WARM_LIMIT_S),
        check("mean error, fine against coarse (ratio)", rows[1]["mean_mm"] / rows[0]["mean_mm"], "<", 1.0),
    ]
    finish(rows, checks, options.quick)


if __name__ == "__main__":
    main()
