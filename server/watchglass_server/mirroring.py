"""Server → mirror: has it follow what is stored, and says how far it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchglass_server.config import Config
from watchglass_server.gateway import Gateway
from watchglass_server.metrics import Metric, counter, gauge
from watchglass_server.tokens import new_id
from watchglass_sync.journal import Journal

if TYPE_CHECKING:
    from watchglass_sync.integration import SpacetimeDBIntegration

CREDENTIALS = "spacetimedb"
ORIGIN = "mirror-origin"
ADDRESS = "mirror-address"
Publish = Callable[[str, Sequence[dict[str, Any]]], None]
Ended = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Mirroring:
    """The mirror of this server, or none."""

    integration: SpacetimeDBIntegration | None

    @classmethod
    def of(
        cls,
        config: Config,
        journal: Journal,
        gateway: Gateway,
        is_stopping: Callable[[], bool],
    ) -> Mirroring:
        """What the configuration asks for, not started."""
        if config.spacetimedb is None:
            return cls(None)
        # A fifth of what importing all of the server takes, and few servers have a mirror.
        from spacetimedb_client import FileCredentials
        from watchglass_server.mirror_commands import MirrorCommands
        from watchglass_sync.integration import SpacetimeDBIntegration

        commands = MirrorCommands(gateway, lambda: integration.permissions, is_stopping)
        integration = SpacetimeDBIntegration(
            journal,
            config.spacetimedb,
            FileCredentials(config.data_dir / CREDENTIALS),
            origin=_origin(config),
            perform=commands.perform,
            public=config.mirror_public,
        )
        # For `watchglass mirror`, which asks the database whether or not a server runs.
        (config.data_dir / ADDRESS).write_text(f"{config.spacetimedb}\n", "utf-8")
        return cls(integration)

    async def start(self) -> None:
        """Begin, whether or not there is a database yet."""
        if self.integration is not None:
            await self.integration.start()

    async def stop(self) -> None:
        """Let it catch up for a moment, and end it."""
        if self.integration is not None:
            await self.integration.stop()

    def published(self, publish: Publish) -> Publish:
        """The same, with the mirror told of what was stored."""
        mirror = self.integration
        if mirror is None:
            return publish

        def both(session: str, events: Sequence[dict[str, Any]]) -> None:
            publish(session, events)
            mirror.notify(session)

        return both

    def ended(self, ended: Ended) -> Ended:
        """The same, with the mirror told that a session is gone."""
        mirror = self.integration
        if mirror is None:
            return ended

        def both(session: str) -> None:
            ended(session)
            mirror.notify(session)

        return both

    def figures(self) -> list[Metric]:
        """What /metrics has of the mirror."""
        if self.integration is None:
            return []
        status = self.integration.status
        return [
            gauge("mirror_connected", "The database is there.", status.state != "disconnected"),
            gauge("mirror_behind_sessions", "Sessions with unwritten rows.", status.behind_by),
            counter("mirror_rows_total", "Operations on rows.", status.rows),
            counter("mirror_batches_total", "Transactions.", status.batches),
            counter("mirror_errors_total", "Connections lost or refused.", status.errors),
            counter("mirror_commands_total", "Commands answered.", self.integration.commands),
        ]


def _origin(config: Config) -> str:
    """By this the database knows which rows are of this data directory."""
    path = config.data_dir / ORIGIN
    if not path.exists():
        path.write_text(new_id("j"), "ascii")
    return path.read_text("ascii").strip()
