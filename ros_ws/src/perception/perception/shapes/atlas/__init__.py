"""Surfaces reconstructed as an atlas of charts, by the networks that `training.shapes.atlas` exports."""
