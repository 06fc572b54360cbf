"""Pictures as a few layers of one colour each (Sbai, Couprie and Aubry, 2018): networks that find them."""
