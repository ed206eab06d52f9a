"""Tests of process_stats.py on this very process."""

import os
import time

from watchglass_server.process_stats import read_stats


def test_processor_time_grows_with_work() -> None:
    before = read_stats(os.getpid())
    deadline = time.process_time() + 0.1
    while time.process_time() < deadline:
        pass
    after = read_stats(os.getpid())
    assert before is not None
    assert after is not None
    assert 0.05 < after.cpu_s - before.cpu_s < 1


def test_memory_is_resident_and_its_share_is_less() -> None:
    stats = read_stats(os.getpid(), pss=True)
    assert stats is not None
    assert stats.pss_bytes is not None
    assert 5 * 2**20 < stats.pss_bytes <= stats.rss_bytes * 1.05
    assert read_stats(os.getpid()) is not None


def test_the_share_is_only_read_when_asked_for() -> None:
    stats = read_stats(os.getpid())
    assert stats is not None
    assert stats.pss_bytes is None


def test_a_process_that_is_gone_has_no_stats() -> None:
    assert read_stats(2**22 + 1) is None
