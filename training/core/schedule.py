"""Learning rates over a training."""

import math


def rate(step: int, steps: int) -> float:
    """Share of the full learning rate at a step: a linear warm-up over a twentieth, then half a cosine to zero."""
    warm_up = max(1, steps // 20)
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))
