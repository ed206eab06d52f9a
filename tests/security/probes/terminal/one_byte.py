"""Begins sequences with the one byte that means the same as two."""

print("\x9b2J\x9d0;taken\x9c\x90q\x9c")
