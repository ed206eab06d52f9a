"""Where the mirror is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MirrorAddress:
    """Which database of which server: `http://127.0.0.1:3000/NAME`."""

    uri: str
    database: str

    @classmethod
    def parse(cls, text: str) -> MirrorAddress:
        """Take an address apart. Raises ValueError, which says how one looks."""
        uri, _, database = text.rstrip("/").rpartition("/")
        if not uri.startswith(("http://", "https://")) or uri.endswith("/") or not database:
            raise ValueError(
                f"'{text}' names no database: write its server and its name, as "
                "http://127.0.0.1:3000/watchglass"
            )
        return cls(uri, database)

    def __str__(self) -> str:
        return f"{self.uri}/{self.database}"
