"""Writes into the reader's clipboard."""

print("\x1b]52;c;dGFrZW4=\x07")
