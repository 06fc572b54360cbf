"""Scenes, renderers, physics and data sets. Imports no torch and no ROS."""
