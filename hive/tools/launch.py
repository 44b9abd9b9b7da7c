"""Set limits on this process, tie its life to its parent's, then become another program.

Started by path, without the `hive` package: `python -I -S launch.py LIMITS PROGRAM ARGUMENT...`,
where LIMITS is JSON, resource name to value. The limits hold for the program and all it starts.
"""

import ctypes
import json
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1


def limit(name: str, value: int) -> None:
    """Lower one limit, never above what is allowed already."""
    kind = getattr(resource, name, None)
    if kind is None:  # this system does not know it
        return
    if name == "RLIMIT_NPROC":
        value += running()
    _, hard = resource.getrlimit(kind)
    most = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (most, most))


def running() -> int:
    """How many threads this user has, which is what the limit on processes counts."""
    count = 0
    try:
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    if os.stat(f"/proc/{name}").st_uid == os.getuid():
                        count += len(os.listdir(f"/proc/{name}/task"))
                except OSError:  # gone meanwhile
                    continue
    except OSError:  # no /proc here: allow what a desktop may run
        return 4096
    return count


def die_with_parent() -> None:
    """Have the kernel kill this process when Hive is killed; only Linux can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Read the command line, set the limits, start the program in this process's place."""
    limits, program = json.loads(sys.argv[1]), sys.argv[2:]
    die_with_parent()
    for name, value in limits.items():
        limit(name, value)
    try:
        os.execvpe(program[0], program, os.environ)
    except OSError as error:
        sys.stderr.write(f"{program[0]}: {error.strerror}\n")
        raise SystemExit(127) from error


if __name__ == "__main__":
    main()
