"""What the server and its helpers log, on standard error and in one form."""

import logging
import sys


def log_to_stderr(level: int | str) -> None:
    """Log what is at least of this level, as `logging` names or numbers them."""
    logging.basicConfig(
        level=level,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
