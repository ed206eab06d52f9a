"""Clears the screen and writes elsewhere on it."""

print("\x1b[2J\x1b[3J\x1b[1;1Hroot@host# \x1b[8m\x1bc")
