"""Sends messages to the page that look like those of its own frames."""

from IPython.display import HTML, display

display(
    HTML(f"""<script>
for (const address of ["javascript:{ATTACK}", "data:text/html,x", "http://127.0.0.1:{TCP_PORT}/"])
  parent.postMessage({{ kind: "link", address }}, "*");
parent.postMessage({{ kind: "height", height: 1e9 }}, "*");
parent.postMessage({{ html: "<script>{ATTACK}</" + "script>", dark: true }}, "*");
</script>""")
)
