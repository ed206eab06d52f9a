"""Resource limits: what one process may use of the machine, counted by the kernel."""

import resource
from collections.abc import Mapping

from watchglass_jail.errors import JailError

__all__ = ["set_limits"]


def set_limits(limits: Mapping[str, tuple[int, int]]) -> None:
    """Set each limit, soft and hard, or what is left of it where it is lower already."""
    for name, (soft, hard) in limits.items():
        number = getattr(resource, f"RLIMIT_{name}")
        _, highest = resource.getrlimit(number)
        bounded = _lower(soft, highest), _lower(hard, highest)
        try:
            resource.setrlimit(number, bounded)
        except (OSError, ValueError) as error:
            raise JailError(
                "limits",
                f"RLIMIT_{name} cannot be {bounded}: {error}",
                "Give a soft limit that is not above the hard one.",
            ) from error


def _lower(wanted: int, highest: int) -> int:
    if resource.RLIM_INFINITY in (wanted, highest):
        return max(wanted, highest)  # infinity is -1
    return min(wanted, highest)
