"""The layer editor: a page in which the layers of a picture are recoloured, ordered, joined and exported."""
