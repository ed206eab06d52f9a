"""What `watchglass_server` offers to others."""

from __future__ import annotations

import pytest

import watchglass_server


def test_every_public_name_is_there_and_sorted() -> None:
    names = watchglass_server.__all__
    assert names == sorted(names)
    for name in names:
        assert getattr(watchglass_server, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nosuch"):
        watchglass_server.nosuch  # noqa: B018
