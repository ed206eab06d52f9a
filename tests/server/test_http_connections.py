"""Connections have an end in number, and the log says so once, not for each."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest
from aiohttp import ClientSession, web

from watchglass_server import http_connections
from watchglass_server.http_connections import HttpConnections


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="hello")


async def test_more_connections_than_the_limit_are_closed_and_others_come_in_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(http_connections, "CONNECTIONS_MOST", 3)
    app = web.Application()
    app.add_routes([web.get("/", hello)])
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    with caplog.at_level(logging.WARNING):
        async with HttpConnections(app, listening):
            opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
            await asyncio.sleep(0.2)
            closed = [reader for reader, _ in opened if reader.at_eof() or reader.exception()]
            assert len(closed) == 5
            for _, writer in opened:
                writer.close()
            await asyncio.sleep(0.2)
            async with (
                ClientSession() as web_client,
                web_client.get(f"http://127.0.0.1:{port}/") as answer,
            ):
                assert await answer.text() == "hello"
    told = [record for record in caplog.records if "ulimit" in record.getMessage()]
    assert len(told) == 1
