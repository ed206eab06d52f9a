"""Starts one program in a jail, as a launcher does: python jail_launcher.py POLICY PROGRAM …"""

import os
import sys

from watchglass_jail import JailError, JailPolicy, confine, execute, fork_into_namespaces

COULD_NOT_CONFINE = 70


def main(policy: JailPolicy, argv: list[str]) -> int:
    """Start the program with the descriptors and environment of here; return how it ended."""
    keep = {int(number) for number in os.listdir("/proc/self/fd")}
    pid = fork_into_namespaces(policy)
    if pid == 0:
        try:
            confine(policy, keep)
            execute(argv, os.environ)
        except (JailError, OSError) as error:
            os.write(2, f"{error}\n".encode())
        finally:
            os._exit(COULD_NOT_CONFINE)
    os.closerange(3, 2**31 - 1)  # the child's end of a socket must be the last one
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    os._exit(main(JailPolicy.from_json(sys.argv[1]), sys.argv[2:]))
