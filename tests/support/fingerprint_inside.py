"""Runs inside the interpreter under test: the native walk beside the one in Python."""

import json
from typing import Any


def answer(request: str, native: Any) -> str:
    """Called inside: JSON in, JSON out."""
    names: dict[str, Any] = {"native": native}
    exec(json.loads(request)["code"], names)
    return json.dumps(names["result"])
