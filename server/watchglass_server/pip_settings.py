"""The index that pip on this machine is set to: asked of pip itself, once, when it is needed.

No address of an index is written down in this program; who configured one for pip, in a file or
by PIP_INDEX_URL, means it here too.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Mapping
from typing import Final

ASK_S: Final = 20.0
_SET = re.compile(r"^(?::env:|global|install)\.index-url='([^']+)'", re.MULTILINE)
_DEFAULT = re.compile(r"--index-url\s+<url>.*?\(default:?\s+(https?://[^\s)]+)\)", re.DOTALL)


async def index_of_pip(environment: Mapping[str, str]) -> str | None:
    """The address of pip's index; None when there is no pip that could say."""
    if named := environment.get("PIP_INDEX_URL"):
        return named
    if found := _SET.findall(await _pip("config", "list")):
        return str(found[-1])
    # Its own default is told by its help only.
    default = _DEFAULT.search(await _pip("install", "--help"))
    return default[1] if default else None


async def _pip(*words: str) -> str:
    # asyncio's, not child.py: pip is no session's process, and needs this process's environment.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pip", *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "1000", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    try:
        async with asyncio.timeout(ASK_S):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return ""
    return output.decode("utf-8", "replace")
