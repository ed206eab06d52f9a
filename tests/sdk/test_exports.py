"""Public names: all of them are listed, and nothing else."""

from __future__ import annotations

from types import ModuleType

import pytest

import spacetimedb_bsatn
import spacetimedb_client
import spacetimedb_client.module
import spacetimedb_client.testing
from spacetimedb_client import errors

PACKAGES = [
    spacetimedb_bsatn,
    spacetimedb_client,
    spacetimedb_client.module,
    spacetimedb_client.testing,
]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda each: each.__name__)
def test_all_public_names_are_listed(package: ModuleType) -> None:
    listed: list[str] = package.__all__
    assert len(listed) == len(set(listed))
    public = {
        name
        for name, value in vars(package).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert set(listed) == public


def test_every_error_has_one_root_and_is_in_the_tree_of_the_docstring() -> None:
    for name, value in vars(errors).items():
        if isinstance(value, type) and value.__module__ == errors.__name__:
            assert issubclass(value, spacetimedb_client.SpacetimeDBError)
            assert name in (errors.__doc__ or "")
