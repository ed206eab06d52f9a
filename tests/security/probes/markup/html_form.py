"""Sends a form by itself."""

from IPython.display import HTML, display

display(
    HTML(f"""
<form id="taken" action="http://127.0.0.1:{TCP_PORT}/" method="post" target="_top"></form>
<script>document.getElementById("taken").submit()</script>""")
)
