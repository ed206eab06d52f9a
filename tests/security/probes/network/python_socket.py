"""Switches on the sockets of Python that Pyodide has in Node, and connects."""

import socket

import pyodide_js

await pyodide_js.useNodeSockFS()
with socket.socket() as connection:
    connection.settimeout(2)
    connection.connect(("127.0.0.1", TCP_PORT))
