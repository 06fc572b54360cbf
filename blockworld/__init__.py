"""The command line: one verb, one small file. Imports everything else, lazily; nothing imports it."""
