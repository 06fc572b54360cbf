"""Shapes: points and triangles, and how one becomes the other by deforming the template of their category."""
