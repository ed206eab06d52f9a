"""Runs a program over a file of this machine: python run_over_file.py ADDRESS PROGRAM.py FILE.txt

A session sees no file of its host, so its owner hands the text over as the variable `text`.
ADDRESS is what `watchglass serve` prints: http://127.0.0.1:8765/#token=…
"""

import asyncio
import sys
from pathlib import Path

import socketio


async def main(address: str, program: str, file: str) -> str:
    url, _, token = address.partition("/#token=")
    finished = asyncio.Event()
    status = "died"
    client = socketio.AsyncClient()

    async def call(event: str, **fields: object) -> dict:
        answer = await client.call(event, fields)
        if not answer["ok"]:
            raise SystemExit(f"{event}: {answer['error']['message']} {answer['error']['hint']}")
        return answer

    @client.on("event")
    def show(event: dict) -> None:
        nonlocal status
        match event["type"], event["data"]:
            case "stream", {"text": text}:
                print(text, end="")
            case "execute_result", {"bundle": bundle}:
                print(bundle["text/plain"])
            case "error", {"traceback": lines}:
                print("\n".join(lines))
            case "execution.finished", {"status": ended}:
                status = ended
                finished.set()

    await client.connect(url, auth={"token": token}, transports=["websocket"])
    session = (await call("session.create", name=Path(program).stem))["session"]
    await call("variable.set", session=session, name="text", value=Path(file).read_text())
    await call("execute", session=session, code=Path(program).read_text())
    await finished.wait()
    await client.disconnect()
    return status


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])) != "ok")
