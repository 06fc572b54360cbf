"""Path-traced test sets whose objects, textures and light no training image has: see docs/photoreal.md."""
