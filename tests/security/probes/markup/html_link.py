"""Has a link clicked that leads the whole page away."""

from IPython.display import HTML, display

display(
    HTML(f"""
<a id="a" target="_top" href="http://127.0.0.1:{TCP_PORT}/">read on</a>
<a id="b" target="_parent" href="javascript:{ATTACK}">read on</a>
<script>document.getElementById("a").click(); document.getElementById("b").click()</script>""")
)
