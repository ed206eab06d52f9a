"""The commands beside `serve`. Each module: NAME, HELP, add_arguments(parser), run(args)."""

from watchglass_server.subcommands import attach, doctor, export, import_, mirror, run, sessions

SUBCOMMANDS = (run, attach, sessions, export, import_, mirror, doctor)

__all__ = ["SUBCOMMANDS"]
