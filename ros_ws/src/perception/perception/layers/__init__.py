"""Pictures as layers of one colour each, whose masks are functions of x and y (Sbai, Couprie and Aubry, 2018)."""
