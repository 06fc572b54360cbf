"""One process, or the many that torchrun started."""

import os

from lightning_fabric import Fabric

from training.core.memory import keep_freed_memory


def launched() -> Fabric:
    """A Fabric over all processes of this run, on GPUs where there are any."""
    keep_freed_memory()
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if processes == 1:
        fabric = Fabric(devices=1)
    else:
        here = int(os.environ.get("LOCAL_WORLD_SIZE", str(processes)))
        fabric = Fabric(devices=here, num_nodes=processes // here, strategy="ddp")
    fabric.launch()
    return fabric
