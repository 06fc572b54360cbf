"""Correspondences by template deformation (3D-CODED: Groueix et al., ECCV 2018): networks, losses, data, training."""
