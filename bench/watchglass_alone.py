"""The questions that only Watchglass answers: a start from the image, a change seen elsewhere."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from bench.progress import rounds
from bench.samples import Samples
from bench.watchglass_side import Watchglass
from watchglass_server.assets import find_assets
from watchglass_server.image import ensure_image
from watchglass_server.process import ProcessConfig, PyodideProcess


async def image_starts(name: str, count: int) -> Samples:
    """A process, from its start until its interpreter says that it is ready."""
    samples = Samples("ms")
    config = ProcessConfig.from_assets(find_assets())
    config = replace(config, image=await ensure_image(config))
    for number in rounds("starts from the image", count + 1):
        began = time.perf_counter()
        async with PyodideProcess(config):
            if number:
                samples.add(name, (time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.1)
    return samples


async def changes_seen(name: str, server: Watchglass, count: int, each: int) -> Samples:
    """From `execute` in one client to `variables.changed` in another."""
    samples = Samples("ms")
    async with server.another().connected() as second:
        writer = await server.open()
        reader = await second.join(writer.session)
        for number in rounds("changes seen by a second client", count + 1):
            for value in range(each):
                code = f"x = {number * each + value + 2}"
                began = time.perf_counter()
                execution = await writer.submit(code)
                seen = reader.execution(execution)
                await seen.changed.wait()
                if number:
                    samples.add(name, (seen.changed_at - began) * 1000)
                await writer.execution(execution).ended.wait()
        await writer.close()
    return samples
