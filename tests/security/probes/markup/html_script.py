"""Runs a script in HTML output."""

from IPython.display import HTML, display

display(HTML(f"<script>{ATTACK}</script>"))
