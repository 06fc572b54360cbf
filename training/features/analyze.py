"""Networks looked at through one design: pictures made once, two passes of each network over them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from perception.errors import BlockworldError
from sim.renderers import Renderer
from sim.shapes.controlled import picture
from training.features.decomposition import Decomposition, Residual, Sums, decomposed
from training.features.design import Design
from training.features.networks import Network

BATCH = 16
Progress = Callable[[int], object]


@dataclass(frozen=True)
class Analysis:
    """What each layer of a network makes of the factors, from its first layer to its last."""

    network: str
    layers: dict[str, Decomposition]


class Pictures:
    """Pictures of a design on disk, (N, S, S, 3) uint8, while they are needed."""

    def __init__(
        self, design: Design, size_px: int, renderer: Renderer, progress: Progress = lambda count: None
    ) -> None:
        self.design = design
        self._folder = TemporaryDirectory(prefix="blockworld-features-")
        shape = (len(design), size_px, size_px, 3)
        self._array = np.lib.format.open_memmap(Path(self._folder.name) / "pictures.npy", "w+", np.uint8, shape)
        for index in range(len(design)):
            self._array[index] = picture(renderer, *design.view(index), size_px)
            progress(1)

    def __getitem__(self, index: int) -> np.ndarray:
        return np.asarray(self._array[index])

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Pictures (B, S, S, 3), and which values (B, K) of the factors they have."""
        for first in range(0, len(self.design), BATCH):
            indices = np.arange(first, min(first + BATCH, len(self.design)))
            yield np.array(self._array[indices]), self.design.levels(indices)

    def close(self) -> None:
        """Remove them."""
        del self._array
        self._folder.cleanup()


def analyze(
    network: Network, layers: Sequence[str], pictures: Pictures, progress: Progress = lambda count: None
) -> Analysis:
    """Decompose the features of these layers. progress: told of 2 N pictures."""
    counts = pictures.design.counts
    sums = {name: Sums(counts) for name in layers}
    for images, levels in pictures.batches():
        for name, features in network.features(images, layers).items():
            sums[name].add(features.reshape(len(features), -1), levels)
        progress(len(images))
    marginals = {name: one.marginals() for name, one in sums.items()}
    del sums
    residuals = {name: Residual(one) for name, one in marginals.items()}
    for images, levels in pictures.batches():
        for name, features in network.features(images, layers).items():
            residuals[name].add(features.reshape(len(features), -1), levels)
        progress(len(images))
    found = {}
    for name in layers:
        try:
            found[name] = decomposed(marginals[name], residuals[name])
        except BlockworldError as error:
            raise BlockworldError(f"{network.name}, layer {name}: {error}") from None
    return Analysis(network.name, found)


def as_json(design: Design, analyses: Sequence[Analysis]) -> dict[str, Any]:
    """Shares, intrinsic dimensions and embeddings, as a report keeps them."""
    return {
        "category": design.category,
        "seed": design.seed,
        "pictures": len(design),
        "factors": [{"name": one.name, "values": list(one.labels)} for one in design.factors],
        "networks": [
            {
                "name": analysis.network,
                "layers": [
                    {
                        "name": name,
                        "features": one.size,
                        "residual": one.residual,
                        "factors": {
                            factor.name: {
                                "share": part.share,
                                "dimension": part.dimension,
                                "embedding": part.embedding.tolist(),
                            }
                            for factor, part in zip(design.factors, one.components, strict=True)
                        },
                    }
                    for name, one in analysis.layers.items()
                ],
            }
            for analysis in analyses
        ],
    }
