"""Opens Node's debugger on a port of the host."""

from pyodide.code import run_js

run_js("""(port) => process.getBuiltinModule("inspector").open(port, "127.0.0.1")""")(LISTEN_PORT)
