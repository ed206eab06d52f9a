"""What a Node child is started with."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

from watchglass_server.assets import Assets
from watchglass_server.child import Launcher, PlainLauncher, Reach

__all__ = ["DEFAULT_MEMORY_BYTES", "ProcessConfig", "ProcessLimits"]

# What Node and Pyodide allocate for themselves beside Python's memory: 700 MiB of address space,
# of which 100 are used, and room for JavaScript's own heap and buffers.
HOST_DATA_BYTES = 1024 * 2**20
DEFAULT_MEMORY_BYTES = 512 * 2**20
DEFAULT_OUTPUT_BYTES = 64 * 2**20
DEFAULT_VARIABLES = 10_000
# Without these of Node's flags the interpreter does not run; all others lock it in.
NEEDED_FLAGS = (
    "--experimental-wasm-jspi",
    "--wasm-stack-switching-stack-size",
    "--max-semi-space-size",
    "--max-old-space-size",
)


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """What one session may use; None: as the pool is configured."""

    memory_bytes: int | None = None
    output_bytes: int | None = None
    variables: int | None = None


@dataclass(frozen=True, slots=True)
class ProcessConfig:
    """How to start one Node child, and how much it may use.

    The flags may name {pyodide_dir}, {host_dir}, {monitor_dir} and {image_dir}.
    """

    node: Path
    node_flags: tuple[str, ...]
    host_dir: Path
    pyodide_dir: Path
    monitor_dir: Path
    image_flags: tuple[str, ...] = ()
    image: Path | None = None
    memory_bytes: int | None = DEFAULT_MEMORY_BYTES
    output_bytes: int = DEFAULT_OUTPUT_BYTES
    poll_ms: int = 250
    variables: int = DEFAULT_VARIABLES
    start_timeout: float = 30.0
    launcher: Launcher = field(default_factory=PlainLauncher)

    @classmethod
    def from_assets(cls, assets: Assets) -> "ProcessConfig":
        """Return the configuration for the files that were found on this machine."""
        return cls(
            node=assets.node,
            node_flags=assets.node_flags,
            image_flags=assets.image_flags,
            host_dir=assets.host_dir,
            pyodide_dir=assets.pyodide_dir,
            monitor_dir=assets.monitor_dir,
        )

    def without_second_layer(self) -> "ProcessConfig":
        """Return this configuration with nothing that Node refuses: the jail alone holds then."""
        flags = tuple(flag for flag in self.node_flags if flag.startswith(NEEDED_FLAGS))
        return replace(self, node_flags=flags, image_flags=(), image=None)

    def command(self, script: str, settings: dict[str, object]) -> list[str]:
        """Return the command that runs one of the host's scripts with these settings."""
        main = self.host_dir / "src" / script
        return [str(self.node), *self._flags(self.node_flags), str(main), json.dumps(settings)]

    @property
    def data_bytes(self) -> int | None:
        """All that the process may allocate, Python's memory and everything else."""
        return self.memory_bytes + HOST_DATA_BYTES if self.memory_bytes else None

    @property
    def reach(self) -> Reach:
        """What of this machine the process needs."""
        host = (self.host_dir / name for name in ("src", "native", "package.json"))
        kernel = (self.image,) if self.image else (self.monitor_dir / "watchglass_monitor",)
        return Reach(read=(self.pyodide_dir, *host, *kernel), data_bytes=self.data_bytes)

    def image_reach(self, folder: Path) -> Reach:
        """What of this machine writing the base image needs: this folder to write in, too."""
        return replace(replace(self, image=None).reach, write=(folder,), data_bytes=None)

    def image_command(self, out: Path) -> list[str]:
        """Return the command that writes the base image."""
        config = replace(self, image=out, node_flags=self.node_flags + self.image_flags)
        settings: dict[str, object] = {
            "pyodide_dir": str(self.pyodide_dir),
            "monitor_dir": str(self.monitor_dir),
            "memory_bytes": None,
            "out": str(out),
        }
        return config.command("make_image.mjs", settings)

    def _flags(self, flags: tuple[str, ...]) -> list[str]:
        folders = {
            "{pyodide_dir}": self.pyodide_dir,
            "{host_dir}": self.host_dir,
            "{monitor_dir}": self.monitor_dir,
            "{image_dir}": self.image.parent if self.image else self.monitor_dir,
        }
        filled = list(flags)
        for placeholder, folder in folders.items():
            filled = [flag.replace(placeholder, str(folder)) for flag in filled]
        return filled

    def limited(self, limits: ProcessLimits) -> "ProcessConfig":
        """Return this configuration with the limits that are given."""
        return replace(
            self,
            memory_bytes=limits.memory_bytes or self.memory_bytes,
            output_bytes=limits.output_bytes or self.output_bytes,
            variables=self.variables if limits.variables is None else limits.variables,
        )
