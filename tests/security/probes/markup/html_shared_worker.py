"""Registers a worker that would outlive the output."""

from IPython.display import HTML, display

display(
    HTML(f"""<script>
const code = URL.createObjectURL(new Blob(["{ATTACK}"], {{ type: "text/javascript" }}));
try {{ new SharedWorker(code) }} catch {{}}
try {{ navigator.serviceWorker.register("/sw.js").then(() => {{ {ATTACK} }}) }} catch {{}}
try {{ new Worker(code) }} catch {{}}
</script>""")
)
