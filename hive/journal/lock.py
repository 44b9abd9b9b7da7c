"""Who extends a run (floor 2): operating-system locks, which a dead process cannot keep.

One lock file stands beside the journal; byte n belongs to run number n. Open-file-description locks
(Linux, `fcntl(2)`) belong to the open file and not to the process, so that two journals in one
process exclude each other too.
"""

import fcntl
import os
import struct
from pathlib import Path

__all__ = ["RunLocks"]

FLOCK = "hhqqi4x"
"""struct flock on 64-bit Linux: type, whence, start, length, pid."""


class RunLocks:
    """Exclusive locks on the runs of one journal file."""

    def __init__(self, journal: Path) -> None:
        self._path = journal.with_name(journal.name + "-lock")
        self._file: int | None = None

    def hold(self, number: int) -> bool:
        """Take the lock of a run; False when another holder lives."""
        try:
            fcntl.fcntl(self._open(), fcntl.F_OFD_SETLK, region(fcntl.F_WRLCK, number))
        except BlockingIOError:
            return False
        return True

    def release(self, number: int) -> None:
        """Give the lock of a run up."""
        fcntl.fcntl(self._open(), fcntl.F_OFD_SETLK, region(fcntl.F_UNLCK, number))

    def held(self, number: int) -> bool:
        """Whether some other open journal holds the run."""
        if not self._path.exists():
            return False
        answer = fcntl.fcntl(self._open(), fcntl.F_OFD_GETLK, region(fcntl.F_WRLCK, number))
        kind: int = struct.unpack(FLOCK, answer)[0]
        return kind != fcntl.F_UNLCK

    def close(self) -> None:
        """Close the lock file, which releases every lock taken through it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> int:
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        return self._file


def region(kind: int, number: int) -> bytes:
    return struct.pack(FLOCK, kind, os.SEEK_SET, number, 1, 0)
