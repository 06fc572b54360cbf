"""The renderer on OpenGL: `renderer` draws, `probe` says whether it can."""
