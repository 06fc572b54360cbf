"""From camera images to the pose of a block: the pure library that the nodes, commands and demo share."""
