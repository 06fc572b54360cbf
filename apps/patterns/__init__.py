"""The pattern browser: draw a box on a picture of a collection, and see where else its detail is."""
