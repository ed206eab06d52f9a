"""A `watches.changed` event → which watches it changed, and the names their history is found by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchglass_sync.text import key


def watch_name(watch: str) -> str:
    """Its name among the stored ones of variables, of which none has a bare quote."""
    return f'"{key(watch)}'


def changed_watches(data: Mapping[str, Any]) -> list[tuple[int, str]]:
    """The watches that changed, each with its place in `watches`."""
    changed, watches = data.get("changed"), data.get("watches")
    if not isinstance(changed, list) or not isinstance(watches, list):
        return []
    return [
        (position, watch["watch"])
        for position, watch in enumerate(watches)
        if isinstance(watch, dict) and watch.get("watch") in changed
    ]
