"""Connects by Emscripten's own sockets, which are WebSockets."""

import socket

connection = socket.socket()
connection.setblocking(False)
try:
    connection.connect(("127.0.0.1", TCP_PORT))
except BlockingIOError as error:
    print(error)
import asyncio

await asyncio.sleep(0.3)
