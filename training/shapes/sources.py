"""Where training shapes of each category come from."""

from training.shapes.shape_set import Source


def open_source(category: str) -> Source:
    """The source of a category; raises ModuleNotFoundError where what makes its shapes is not installed."""
    if category == "human":
        from training.shapes.bodies import Bodies

        return Bodies()
    from training.shapes.objects import Objects

    return Objects(category)
