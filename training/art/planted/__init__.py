"""A benchmark made of any folder of pictures: details copied from one into others, as copyists do."""
