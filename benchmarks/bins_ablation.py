"""What helps the paper's bins to begin: the same short training of fine with one help after the other.

The peer of every row is the paper's own recipe in the same run: hard labels from random weights. Errors are medians on
held-out images. Data sets, and the heat maps that the warm start comes from, are made first where they are missing.
"""

import tempfile
from pathlib import Path
from typing import Any

from _report import arguments, check, finish

from perception.configuration import read_configuration
from training.localization.config import LocalizationConfig
from training.localization.data_sets import build_missing
from training.localization.train import train

CONFIG = Path(__file__).resolve().parents[1] / "training" / "localization" / "configs" / "fine_bins.yaml"
SAMPLES, QUICK_SAMPLES = 6_400, 192
PAPER: dict[str, Any] = {
    "warm_start": None,
    "first_label_sigma": 0.0,
    "label_sigma": 0.0,
    "auxiliary": 0.0,
    "pool": 1,
    "read_maps": False,
    "frozen": False,
}
NARROWING = {"first_label_sigma": 6.0, "label_sigma": 1.0}
SHIPPED: dict[str, Any] = {"warm_start": "own", "frozen": True, "read_maps": True, **NARROWING}
BESIDE_MAPS: dict[str, Any] = {"warm_start": "own", "pool": 4, "auxiliary": 1.0, **NARROWING}
HELPS: dict[str, dict[str, Any]] = {
    "hard labels, random weights (the paper)": {},
    "soft labels": {"label_sigma": 1.0},
    "coarse to fine: soft labels of 6 bins that become 1": NARROWING,
    "dense auxiliary targets": {"auxiliary": 1.0},
    "pooled over 4 x 4": {"pool": 4},
    "trunk of the heat maps": {"warm_start": "own"},
    "trunk, coarse to fine, 4 x 4": {"warm_start": "own", "pool": 4, **NARROWING},
    "trunk, coarse to fine, 4 x 4, dense auxiliary targets": BESIDE_MAPS,
    "trunk and heat maps as they are, coarse to fine, heads that read the maps (shipped)": SHIPPED,
}


def main() -> None:
    """Train every variant and print the table."""
    options = arguments(__doc__ or "")
    recipe = read_configuration(LocalizationConfig, CONFIG)
    build_missing((*recipe.data, *recipe.validation))
    if recipe.warm_start is None or not recipe.warm_start.is_file():
        raise SystemExit(f"{recipe.warm_start} is not there: run `blockworld train localization-fine` first.")
    rows = []
    for name, changes in HELPS.items():
        values = PAPER | changes | {"samples": QUICK_SAMPLES if options.quick else SAMPLES}
        if values["warm_start"] is not None:
            values["warm_start"] = recipe.warm_start
        with tempfile.TemporaryDirectory() as folder:
            config = recipe.model_copy(update=values | {"out": Path(folder), "learning_rate": 2e-3})
            rows.append({"variant": name, "samples": config.samples, **train(config, progress=False)})
    paper, shipped = rows[0], rows[-1]
    checks = [
        check(f"the shipped recipe against the paper's, ratio of {error}", shipped[error] / paper[error], "<", 1.0)
        for error in ("x_median_mm", "y_median_mm", "yaw_median_deg")
    ]
    finish(rows, checks, options.quick)


if __name__ == "__main__":
    main()
