"""The one error of this package: which layer of the jail failed, of what, and what to do."""

__all__ = ["JailError"]


class JailError(Exception):
    """A layer of the jail that was asked for could not be put in force."""

    def __init__(self, layer: str, what: str, next_step: str) -> None:
        super().__init__(f"The jail's layer {layer!r} failed: {what}. {next_step}")
        self.layer = layer
        self.what = what
        self.next_step = next_step

    def __reduce__(self) -> tuple[type["JailError"], tuple[str, str, str]]:
        return JailError, (self.layer, self.what, self.next_step)
