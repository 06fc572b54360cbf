"""Which grasp to try next: Thompson sampling over Beta beliefs, whose priors come from similar grasps tried before.

Thompson, "On the likelihood that one unknown probability exceeds another", Biometrika 1933; with correlated priors from
a library of objects as in Dex-Net 1.0 (Mahler et al., ICRA 2016, sections V and VI).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass
class Beliefs:
    """Beta beliefs in the success of grasps: successes and failures (G,), one of each to begin with."""

    successes: NDArray[np.float64]
    failures: NDArray[np.float64]

    @classmethod
    def unknown(cls, count: int) -> Self:
        """About grasps of which nothing is known: every rate of success is as likely."""
        return cls(np.ones(count), np.ones(count))

    @classmethod
    def prior(cls, successes: ArrayLike, tries: ArrayLike, similarity: ArrayLike) -> Self:
        """From `successes` of `tries` (G,) of similar grasps, each counting as much as its similarity, 0 to 1."""
        counted, all_, weight = (np.asarray(one, dtype=float) for one in (successes, tries, similarity))
        return cls(1 + weight * counted, 1 + weight * (all_ - counted))

    @property
    def expected(self) -> NDArray[np.float64]:
        """(G,) expected rates of success."""
        return self.successes / (self.successes + self.failures)

    def next(self, rng: np.random.Generator) -> int:
        """The grasp to try: the best one in a world drawn from the beliefs."""
        return int(rng.beta(self.successes, self.failures).argmax())

    def tell(self, grasp: int, success: bool) -> None:
        """What came of a trial."""
        if success:
            self.successes[grasp] += 1
        else:
            self.failures[grasp] += 1
