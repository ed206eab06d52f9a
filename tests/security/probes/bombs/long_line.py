"""Prints one line without end."""

import sys

while True:
    sys.stdout.write("x" * 2**20)
