"""`python -m watchglass_server`: the same as the command `watchglass`."""

import sys

from watchglass_server.cli import main

if __name__ == "__main__":
    sys.exit(main())
