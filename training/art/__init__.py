"""Art mining: the same detail across a collection of pictures, whatever the medium (Shen, Efros, Aubry, CVPR 2019)."""
