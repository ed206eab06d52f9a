"""Processes for escape probes, with and without what locks them in."""

from dataclasses import replace
from pathlib import Path

from watchglass_server.assets import find_assets
from watchglass_server.escape_probes import Start
from watchglass_server.image import ensure_image
from watchglass_server.process import ProcessConfig, PyodideProcess

# Without these the interpreter does not run, or not as well; all others of Node's flags lock it in.
NEEDED_FLAGS = (
    "--experimental-wasm-jspi",
    "--wasm-stack-switching-stack-size",
    "--max-semi-space-size",
    "--max-old-space-size",
)


async def open_config(cache_dir: Path) -> ProcessConfig:
    """Return a configuration in which Node forbids nothing, so that a probe is seen to be real."""
    config = ProcessConfig.from_assets(find_assets())
    flags = tuple(flag for flag in config.node_flags if flag.startswith(NEEDED_FLAGS))
    config = replace(config, node_flags=flags, image_flags=())
    return replace(config, image=await ensure_image(config, cache_dir))


def starting(config: ProcessConfig) -> Start:
    """Return what starts one process after another with this configuration."""

    async def start() -> PyodideProcess:
        process = PyodideProcess(config)
        await process.start()
        return process

    return start
