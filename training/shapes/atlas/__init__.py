"""AtlasNet (Groueix et al., CVPR 2018): surfaces as images of charts, from clouds, pictures and drawings."""
