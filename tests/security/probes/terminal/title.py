"""Sets the title of the reader's terminal."""

print("\x1b]0;taken\x07\x1b]2;taken\x1b\\")
