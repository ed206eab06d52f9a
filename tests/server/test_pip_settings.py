"""Which index pip is set to: by the environment, by its files, or by its own default."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchglass_server.pip_settings import index_of_pip


async def test_the_environment_comes_first() -> None:
    environment = {"PIP_INDEX_URL": "https://127.0.0.1/own"}
    assert await index_of_pip(environment) == "https://127.0.0.1/own"


async def test_then_what_pip_was_configured_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = https://127.0.0.1/configured\n")
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    assert await index_of_pip({}) == "https://127.0.0.1/configured"


async def test_then_its_own_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("")
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    monkeypatch.setenv("HOME", str(tmp_path))
    found = await index_of_pip({})
    assert found is not None
    assert found.startswith("https://")
    assert found.endswith("/simple")
