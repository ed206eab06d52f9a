"""Sends sequences in rich output and in the names of its kinds."""

from IPython.display import display

display({"text/plain": "\x1b]0;taken\x07"}, raw=True)
display({"\x1b]0;taken\x07": "x"}, raw=True)
