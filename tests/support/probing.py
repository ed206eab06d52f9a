"""Processes for escape probes, with and without what locks them in."""

from dataclasses import replace
from pathlib import Path

from watchglass_jail.features import KernelFeatures
from watchglass_server.assets import find_assets
from watchglass_server.child import Launcher, PlainLauncher
from watchglass_server.escape_probes import Start
from watchglass_server.image import ensure_image
from watchglass_server.jail_launcher import JailLauncher
from watchglass_server.process import ProcessConfig, PyodideProcess


class OrdinaryUsersJail(JailLauncher):
    """The jail that a server gets which is not root and has no namespaces.

    It still is root here, which is harder to hold: no file's mode is in its way.
    """

    async def look(self, program: str) -> KernelFeatures:
        """What this machine offers, less what it asks privileges for."""
        features = await super().look(program)
        return replace(
            features,
            namespaces=(),
            private_root=False,
            uids=(0, 0),
            counts_own_processes=False,
            cgroups=(),
        )


async def open_config(cache_dir: Path, launcher: Launcher | None = None) -> ProcessConfig:
    """Return a configuration in which Node forbids nothing, so that a probe is seen to be real.

    In a jail, it shows that the jail alone holds.
    """
    config = ProcessConfig.from_assets(find_assets()).without_second_layer()
    config = replace(config, launcher=launcher or PlainLauncher())
    return replace(config, image=await ensure_image(config, cache_dir))


def starting(config: ProcessConfig) -> Start:
    """Return what starts one process after another with this configuration."""

    async def start() -> PyodideProcess:
        process = PyodideProcess(config)
        await process.start()
        return process

    return start
