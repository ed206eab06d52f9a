"""`watchglass` whose sessions Node does not hold: their code reaches the server's socket."""

from __future__ import annotations

import sys
from pathlib import Path

from watchglass_server.assets import Assets
from watchglass_server.cli import main
from watchglass_server.process_config import ProcessConfig


def command(folder: Path) -> str:
    """A program in this folder that is `watchglass` with nothing but this changed."""
    program = folder / "open-watchglass"
    program.write_text(f"#!{sys.executable}\n{Path(__file__).read_text('utf-8')}", "utf-8")
    program.chmod(0o700)
    return str(program)


def open_config(assets: Assets) -> ProcessConfig:
    """What `ProcessConfig.from_assets` gives, without Node's part."""
    return locked_config(assets).without_second_layer()


if __name__ == "__main__":
    locked_config = ProcessConfig.from_assets
    setattr(ProcessConfig, "from_assets", staticmethod(open_config))  # noqa: B010
    main()
