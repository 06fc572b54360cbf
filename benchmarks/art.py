"""Art mining (ArtMiner: Shen, Efros and Aubry, CVPR 2019) beside its peers.

Index speed: from a picture to its features at 7 scales, by PyTorch as it is, with and without batch norms folded into
the convolutions, and by each engine that is installed. Beside it the matrix products that the convolutions are, in the
same precision, by PyTorch, and the floor: as many multiplications in one large product.

Scale: a thousand scans indexed, searched and compared, by the commands; with --folder it goes on where it stopped.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from _art_scale import scale
from _art_speed import FOLDED, index_speed
from _report import arguments, check, finish


def checks_of(rows: list[dict]) -> list[dict]:
    """The figures against their targets, of what there is."""
    checks = []
    for row in rows:
        if str(row.get("index speed", "")).endswith("(ours)"):
            checks.append(check("index speed over that of PyTorch eager", row[f"{FOLDED} / this"], ">=", 2.0))
            checks.append(check("index speed: time over the floor", row["this / floor"], "<=", 2.0))
    return checks


def main() -> None:
    """Print the tables."""
    options = arguments(__doc__ or "", folder="folder that keeps the scans and what was done", scans="how many scans")
    rows = [*index_speed(options.quick)]
    of_scale, checks = scale(options.quick, options.folder, options.scans)
    finish([*rows, *of_scale], [*checks_of(rows), *checks], options.quick)


if __name__ == "__main__":
    main()
