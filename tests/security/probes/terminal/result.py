"""Sends sequences in what stands for a value."""


class Shown:
    def __repr__(self):
        return "\x1b]0;taken\x07\x1b[2J"


Shown()
