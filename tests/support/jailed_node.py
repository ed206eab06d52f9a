"""Node in a jail, for tests: a program that starts it there, in place of Node itself."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from tests.support.jailed import LAUNCHER, features_here
from watchglass_jail import JailPolicy, choose_policy, libraries_of
from watchglass_server.process_config import ProcessConfig

SCRIPT = """#!{python}
import os, sys
os.execv({python!r}, [{python!r}, {launcher!r}, {policy!r}, {node!r}, *sys.argv[1:]])
"""


def node_policy(config: ProcessConfig) -> JailPolicy:
    """The strictest policy of this machine for a session's process."""
    image = (config.image.parent,) if config.image else ()
    monitor = config.monitor_dir / "watchglass_monitor"
    read = (config.pyodide_dir, config.host_dir, monitor, *image)
    return choose_policy(
        features_here(),
        level="strict",
        read=tuple(map(str, read)),
        execute=libraries_of(str(config.node)),
        data_bytes=config.data_bytes,
    )


def without_privileges(policy: JailPolicy) -> JailPolicy:
    """What is left of a policy where there are no namespaces and no other users."""
    limits = {**policy.limits, "NPROC": (16384, 16384)}
    return replace(policy, namespaces=(), private_root=False, uid=None, gid=None, limits=limits)


def jailed(config: ProcessConfig, policy: JailPolicy, folder: Path) -> ProcessConfig:
    """The configuration, with a program in the folder that starts Node under the policy."""
    program = folder / "node in a jail"
    text = SCRIPT.format(
        python=sys.executable,
        launcher=str(LAUNCHER),
        policy=policy.to_json(),
        node=os.path.realpath(config.node),
    )
    program.write_text(text)
    program.chmod(0o755)
    return replace(config, node=program)
