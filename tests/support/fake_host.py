"""Configurations that start the fake host instead of Node."""

import sys
from dataclasses import replace
from pathlib import Path

from watchglass_server.process_config import ProcessConfig

FAKE = Path(__file__).with_name("fake_process.py")


def fake_config(*flags: str, folder: Path = FAKE.parent, **changes: object) -> ProcessConfig:
    """Return a configuration for the fake host with these flags; see fake_process.py."""
    config = ProcessConfig(
        node=Path(sys.executable),
        # -I: the exact environment that Node gets is enough. -S would lose the virtual environment.
        node_flags=("-I", str(FAKE), *flags),
        host_dir=folder,
        pyodide_dir=folder,
        monitor_dir=folder,
        start_timeout=10,
    )
    return replace(config, **changes)  # type: ignore[arg-type]
