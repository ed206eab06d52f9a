"""The kernel in a real process, for the tests that need one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.node_host import Conversation, node_config
from watchglass_server.child import Launcher
from watchglass_server.process import ProcessConfig, PyodideProcess


@pytest.fixture
async def config(cache_dir: Path, launcher: Launcher) -> ProcessConfig:
    return await node_config(cache_dir, launcher)


@pytest.fixture
async def talk(config: ProcessConfig) -> AsyncIterator[Conversation]:
    async with PyodideProcess(config) as process:
        conversation = Conversation(process)
        yield conversation
        await conversation.close()
