"""Loads a style and a font, to tell who reads."""

from IPython.display import HTML, display

address = f"http://127.0.0.1:{TCP_PORT}"
display(
    HTML(f"""
<link rel="stylesheet" href="{address}/style.css"><link rel="prefetch" href="{address}/next">
<style>@import url({address}/more.css); body {{ background: url({address}/back.png) }}</style>""")
)
