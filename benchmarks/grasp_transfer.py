"""Grasp transfer: grasps of annotated objects on unseen ones, tried in PyBullet by the Panda arm.

Each object of a series that nothing was trained or annotated on is turned about the vertical by a random angle, and the
best grasp for its mesh is tried: lifted by 10 cm, then held and shaken, and apart from that pushed by an external
force. The peer is direct mapping: the best grasp of the nearest exemplar, scaled by the sides of both objects' bounding
boxes, with the object's true orientation given. Same objects, masses and frictions.

The trials that a 95 % grasp takes: Thompson sampling over the library's grasps that are feasible, with priors from its
trials or without, and, with no library, over antipodal grasps of the object itself, spread over it. A grasp is found
when the one believed best has in truth succeeded in 95 % of a test of its own.
"""

import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from functools import lru_cache

import numpy as np
from _report import arguments, check, finish
from _workers import LOG, resumed, workers

from perception.errors import BlockworldError
from perception.grasp_transfer import GraspTransfer, TransferredGrasp
from perception.shapes.categories import OBJECTS
from perception.shapes.matching import Fit
from perception.shapes.shape import Shape
from perception.thompson import Beliefs
from sim.annotation import candidates_of, diverse, missing
from sim.random_streams import stream
from sim.shape_trials import RULES as TRIAL_RULES
from sim.shape_trials import ShapeTrials
from sim.shapes import ObjectShape, make

SEED = 4321
OBJECTS_EACH, QUICK_OBJECTS = 100, 1
BANDITS_EACH, QUICK_BANDITS = 2, 0
ARMS, MOST_TRIALS, TEST_TRIALS, GOOD = 12, 60, 20, 0.95
TARGET, AHEAD = 0.90, 20.0
RULES = ("lift", "lift, hold, shake", "external force")


@dataclass(frozen=True)
class Done:
    """One object: whether each rule was passed by the transferred and the directly mapped grasp, and why not."""

    category: str
    transferred: tuple[bool, bool, bool]
    direct: tuple[bool, bool, bool]
    reason: str
    duration_s: float


@lru_cache(maxsize=6)
def opened(category: str) -> GraspTransfer:
    """The category's network and library; once in each process."""
    return GraspTransfer.open(category)  # type: ignore[arg-type]


def seen(made: ObjectShape, index: int) -> tuple[Shape, np.ndarray]:
    """The object as it is given, and T_object_seen (4, 4): turned about the vertical."""
    angle = stream(SEED, index, "grasp transfer turn").uniform(-np.pi, np.pi)
    turn = np.eye(4)
    turn[:2, :2] = ((np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle)))
    return Shape(made.vertices @ turn[:3, :3].T, made.faces), turn.T


def work(job: tuple[str, int]) -> dict:
    """Both methods on one object."""
    category, index = job
    made = make(category, SEED, index)
    shape, T_object_seen = seen(made, index)
    trials, transfer = ShapeTrials(made), opened(category)
    begin, reason = time.perf_counter(), ""
    own = (False, False, False)
    fit = transfer.matcher.fit(shape, upright=True)
    try:
        best = transfer.grasps_of(shape, fit, most=1)[0]
        duration_s = time.perf_counter() - begin
        result = trials.run(T_object_seen @ best.T_object_clamp, best.opening_m, index)
        own, reason = (result.lifted, result.shaken, result.pushed), result.reason
    except BlockworldError as error:
        duration_s, reason = time.perf_counter() - begin, str(error)
    pose, opening = direct(transfer, shape, fit, made)
    result = trials.run(pose, opening, index)
    tried = (result.lifted, result.shaken, result.pushed)
    return asdict(Done(category, own, tried, reason, duration_s))


def direct(transfer: GraspTransfer, shape: Shape, fit: Fit, made: ObjectShape) -> tuple[np.ndarray, float]:
    """Direct mapping: the nearest exemplar's best grasp, its place scaled by the sides of the bounding boxes."""
    exemplar = transfer.library.nearest(shape, fit, 1)[0][0]
    grasps = exemplar.object.grasps
    best = int(((1 + grasps.successes) / (2 + grasps.tries)).argmax())
    own, other = (np.stack([one.min(axis=0), one.max(axis=0)]) for one in (exemplar.object.vertices, made.vertices))
    pose = grasps.T_object_clamp[best].copy()
    pose[:3, 3] = other[0] + (pose[:3, 3] - own[0]) * (other[1] - other[0]) / (own[1] - own[0])
    return pose, float(grasps.opening_m[best])


def bandit(job: tuple[str, int]) -> dict:
    """How many trials Thompson sampling takes to find a good grasp of one object, with and without the library."""
    category, index = job
    made = make(category, SEED + 1, index)
    shape, T_object_seen = seen(made, index)
    try:
        grasps = opened(category).grasps(shape, most=ARMS)
    except BlockworldError:
        return {}
    trials = ShapeTrials(made, replace(TRIAL_RULES, tests=("shake",)))
    rng = stream(SEED, index, f"bandit {category}")
    candidates = candidates_of(made, trials.solid.pose, rng, ARMS)
    if not len(candidates.opening_m):
        return {}
    own = diverse(candidates, ARMS)
    transferred = Arms(trials, [(T_object_seen @ one.T_object_clamp, one.opening_m) for one in grasps])
    sampled = Arms(trials, list(zip(own.T_object_clamp, own.opening_m.tolist(), strict=True)))
    unknown = Beliefs.unknown
    return {
        "library": transferred.trials_to_good(prior(grasps), rng),
        "library, without its trials": transferred.trials_to_good(unknown(len(grasps)), rng),
        "no library": sampled.trials_to_good(unknown(len(own.opening_m)), rng),
    }


class Arms:
    """Grasps of one object, each with what its trials gave, by a hand that misses them a little."""

    def __init__(self, trials: ShapeTrials, grasps: list[tuple[np.ndarray, float]]) -> None:
        self.trials, self.grasps = trials, grasps
        self.known: dict[tuple[int, int], bool] = {}

    def succeeds(self, arm: int, number: int) -> bool:
        """Whether a trial of the grasp, the number-th, goes well."""
        if (arm, number) not in self.known:
            pose, opening = self.grasps[arm]
            result = self.trials.run(pose @ missing(stream(SEED, number, "miss")), opening, number)
            self.known[arm, number] = result.shaken
        return self.known[arm, number]

    def good(self, arm: int) -> bool:
        """Whether the grasp succeeds in enough of a test of its own, which ends where that is out of reach."""
        failed, numbers = 0, iter(range(1000, 1000 + TEST_TRIALS))
        while failed <= (1 - GOOD) * TEST_TRIALS + 1e-9:
            number = next(numbers, None)
            if number is None:
                return True
            failed += not self.succeeds(arm, number)
        return False

    def trials_to_good(self, beliefs: Beliefs, rng: np.random.Generator) -> int:
        """Trials before the grasp believed best is a good one in truth; at most MOST_TRIALS."""
        pulls = Counter[int]()
        while pulls.total() < MOST_TRIALS and not self.good(int(beliefs.expected.argmax())):
            arm = beliefs.next(rng)
            beliefs.tell(arm, self.succeeds(arm, pulls[arm]))
            pulls[arm] += 1
        return pulls.total()


def prior(grasps: list[TransferredGrasp]) -> Beliefs:
    """What the library's trials say of transferred grasps."""
    return Beliefs.prior(
        [one.successes for one in grasps], [one.tries for one in grasps], [one.similarity for one in grasps]
    )


def rows_of(done: list[Done]) -> list[dict]:
    """By category, and over all, the share that passes each rule."""
    rows = []
    for category in (*dict.fromkeys(one.category for one in done), "all"):
        own = [one for one in done if category in (one.category, "all")]
        for method in ("transferred", "direct"):
            passed = np.mean([getattr(one, method) for one in own], axis=0)
            row = {"category": category, "method": method, "objects": len(own)}
            row |= {rule: float(share) for rule, share in zip(RULES, passed, strict=True)}
            if method == "transferred":
                row["s per object"] = float(np.median([one.duration_s for one in own]))
                told = Counter(one.reason.partition(",")[0][:60] for one in own if not one.transferred[1])
                row["failures"] = "; ".join(f"{reason} ({count})" for reason, count in told.most_common(3))
            rows.append(row)
    return rows


def main() -> None:
    """Try all objects in as many processes as there are cores."""
    own = {"objects": "objects of each category", "bandits": "of each category for Thompson sampling"}
    options = arguments(__doc__ or "", **own, log=LOG)
    each = int(options.objects or (QUICK_OBJECTS if options.quick else OBJECTS_EACH))
    bandits = int(options.bandits or (QUICK_BANDITS if options.quick else BANDITS_EACH))
    with workers() as pool:
        jobs = {f"{category} {index}": (category, index) for index in range(each) for category in OBJECTS}
        done = [Done(**one) for one in resumed(pool, work, jobs, options.log, "objects")]
        more = {f"bandit {category} {i}": (category, i) for i in range(bandits) for category in OBJECTS}
        tried = [one for one in resumed(pool, bandit, more, options.log, "bandits") if one]
    rows = rows_of(done)
    ours, peer = rows[-2]["lift, hold, shake"], rows[-1]["lift, hold, shake"]
    checks = [
        check("lift, hold and shake over all categories", ours, ">=", TARGET),
        check("points above direct mapping", 100 * (ours - peer), ">=", AHEAD),
    ]
    if tried:
        for name in tried[0]:
            count = [one[name] for one in tried]
            rows.append({"category": "all", "method": f"Thompson, {name}", "objects": len(tried),
                         "median trials": float(np.median(count)), "mean trials": float(np.mean(count))})  # fmt: skip
        fewer = np.mean([one["no library"] for one in tried]) - np.mean([one["library"] for one in tried])
        checks.append(check("trials that the library saves on the way to a 95 % grasp", float(fewer), ">", 0.0))
    finish(rows, checks, options.quick)


if __name__ == "__main__":
    main()
