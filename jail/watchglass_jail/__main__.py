"""The zygote's program: `python -m watchglass_jail NUMBER`, the number of the server's socket."""

import resource
import socket
import sys
from collections.abc import Sequence

from watchglass_jail.surroundings import outlive_parent
from watchglass_jail.zygote import Zygote

__all__ = ["main"]


def main(arguments: Sequence[str]) -> None:
    """Serve until the server ends, then end what is left of it."""
    outlive_parent()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # two for each child
    Zygote(socket.socket(fileno=int(arguments[0]))).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
