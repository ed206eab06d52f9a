"""What each protocol can say: the frames of calls, and the events of frames."""

from collections.abc import Sequence
from typing import Protocol

from spacetimedb_client.protocol.messages import Event

Frame = bytes | str


class Dialect(Protocol):
    """One of the WebSocket protocols; knows bytes, not what may be said when."""

    @property
    def subprotocol(self) -> str: ...

    @property
    def answers_all(self) -> bool:
        """Whether also calls that nobody awaits are answered: v1 then tells no failure either."""
        ...

    def decode(self, frame: Frame) -> list[Event]: ...

    def call_reducer(
        self, request_id: int, reducer: str, args: bytes, is_awaited: bool
    ) -> Frame: ...

    def call_procedure(self, request_id: int, procedure: str, args: bytes) -> Frame: ...

    def subscribe(self, request_id: int, query_id: int, queries: Sequence[str]) -> Frame: ...

    def unsubscribe(self, request_id: int, query_id: int) -> Frame: ...

    def one_off_query(self, request_id: int, query: str) -> Frame: ...
