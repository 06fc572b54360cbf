"""Art mining (ArtMiner: Shen, Efros and Aubry, CVPR 2019) beside its peers.

Index speed: from a picture to its features at 7 scales, by PyTorch as it is, with and without batch norms folded into
the convolutions, and by each engine that is installed. Beside it the matrix products that the convolutions are, in the
same precision, by PyTorch, and the floor: as many multiplications in one large product.

Planted copies: how well details copied from one painting into others are found, beside SIFT and RANSAC.
Recognition: how often a photograph of a mark in paper is given its drawing, beside averaged features, HOG and SIFT.
Scale: a thousand scans indexed, searched and compared, by the commands.
With --folder what takes long goes on where it was broken off, and is not done again.
"""

import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from _art_planted import LEARNED, PLAIN, SIFT, planted
from _art_recognition import recognition, recognition_checks
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
    return checks + found_checks(rows) + recognition_checks(rows)


def found_checks(rows: list[dict]) -> list[dict]:
    """Of planted copies, where features were learned."""
    found = {(row["planted copies"], row["ranked by"]): row["mAP %"] for row in rows if "planted copies" in row}
    if (LEARNED, "cosine") not in found:
        return []
    return [
        *(
            check(f"{way}: learned over ImageNet, points", found[LEARNED, way] - found[PLAIN, way], ">=", 10.0)
            for way in ("cosine", "discovery")
        ),
        *(
            check(f"learned {way} over SIFT + RANSAC, points", found[LEARNED, way] - found[SIFT, "keypoints"], ">", 0.0)
            for way in ("cosine", "discovery")
        ),
    ]


def main() -> None:
    """Print the tables."""
    kept = "folder that keeps planted copies, the thousand scans, features, learned weights and scores"
    options = arguments(__doc__ or "", folder=kept, scans="how many scans, 1000 by default")
    with nullcontext(options.folder) if options.folder else tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [*index_speed(options.quick), *planted(options.quick, folder / "planted"), *recognition(options.quick)]
        of_scale, checks = scale(options.quick, folder / "scale", options.scans)
    finish([*rows, *of_scale], [*checks_of(rows), *checks], options.quick)


if __name__ == "__main__":
    main()
