"""Features as tensors that gradients pass through; those of a cache are of other weights, and without."""

import torch
from torch import Tensor
from torch.nn import functional

from training.art.backbone import Backbone
from training.art.extractor import level, pyramid, shapes
from training.art.pictures import Picture


class BackboneGrids:
    """A backbone's features: (h, w, C) float32 of unit vectors, on the device."""

    def __init__(self, backbone: Backbone, device: torch.device, dtype: torch.dtype) -> None:
        """dtype: of the network's products, bfloat16 or float32."""
        self._backbone, self._device, self._dtype = backbone, device, dtype

    def one(self, picture: Picture, scale: int) -> Tensor:
        """At one scale, by its number in `training.art.features.SCALES`."""
        image = level(picture, self._backbone.stride, shapes(picture.size)[scale])
        return self._grid(torch.from_numpy(image))

    def all(self, picture: Picture) -> list[Tensor]:
        """At all scales."""
        return [self._grid(torch.from_numpy(image)) for image in pyramid(picture, self._backbone.stride)]

    def _grid(self, image: Tensor) -> Tensor:
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype == torch.bfloat16):
            found = self._backbone(image.to(self._device)[None])[0]
        # In bfloat16 a unit vector is one within half a percent; cosines are compared more finely than that.
        return functional.normalize(found.float(), dim=2, eps=1e-6)
