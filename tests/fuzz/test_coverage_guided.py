"""Runs of atheris, which looks for inputs that reach code no input has reached before."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("coverage_guided.py")
# pyproject.toml asks for atheris where it has wheels; there it has to run.
HAS_WHEELS = (
    sys.platform == "linux" and platform.machine() == "x86_64" and sys.version_info < (3, 15)
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not HAS_WHEELS, reason="atheris has no wheels for this machine"),
]


@pytest.mark.parametrize(("target", "longest"), [("host", 65_536), ("client", 4_096)])
def test_coverage_guided_runs_find_no_undocumented_error(
    target: str, longest: int, tmp_path: Path, soak: bool
) -> None:
    runs = 1_000_000 if soak else 10_000
    flags = (f"-runs={runs}", f"-max_len={longest}", "-seed=1", "-rss_limit_mb=2048")
    done = subprocess.run(
        [sys.executable, SCRIPT, target, *flags, f"-artifact_prefix={tmp_path}/", tmp_path],
        capture_output=True,
        text=True,
        timeout=3500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    found = re.search(rf"#{runs}\s+DONE\s+cov: (\d+)", done.stderr)
    assert found is not None, done.stderr[-2000:]
    assert int(found[1]) > 150
