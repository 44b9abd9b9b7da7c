"""Who extends a run (floor 2): operating-system locks, which a dead process cannot keep.

One lock file stands beside the journal; each run has a byte in it, picked by its id. Nothing is
ever written there. Open-file-description locks (Linux, `fcntl(2)`) belong to the open file and not
to the process, so that two journals in one process exclude each other too.
"""

import fcntl
import hashlib
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hive.errors import JournalError

__all__ = ["RunLocks"]

FLOCK = "hhqqi4x"
"""struct flock on 64-bit Linux: type, whence, start, length, pid."""


class RunLocks:
    """Exclusive locks on the runs of one journal file."""

    def __init__(self, journal: Path) -> None:
        self._path = journal.with_name(journal.name + "-lock")
        self._file: int | None = None
        self._own: set[str] = set()

    def hold(self, run: str) -> bool:
        """Take the lock of a run; False when it has a holder. Raises JournalError."""
        if run in self._own:
            return False
        try:
            fcntl.fcntl(self._open(), fcntl.F_OFD_SETLK, region(fcntl.F_WRLCK, run))
        except BlockingIOError:
            return False
        except OSError as error:
            raise self._unusable(error) from error
        self._own.add(run)
        return True

    @contextmanager
    def alone(self, run: str = "") -> Iterator[None]:
        """Wait to be the only one who takes a run, or makes the journal, and be that for a moment.
        Raises JournalError."""
        try:
            file = self._open()
            fcntl.fcntl(file, fcntl.F_OFD_SETLKW, region(fcntl.F_WRLCK, f"taking {run}"))
        except OSError as error:
            raise self._unusable(error) from error
        try:
            yield
        finally:
            fcntl.fcntl(file, fcntl.F_OFD_SETLK, region(fcntl.F_UNLCK, f"taking {run}"))

    def release(self, run: str) -> None:
        """Give the lock of a run up, where this journal has it."""
        if run in self._own and self._file is not None:
            fcntl.fcntl(self._file, fcntl.F_OFD_SETLK, region(fcntl.F_UNLCK, run))
            self._own.discard(run)

    def held(self, run: str) -> bool:
        """Whether some open journal holds the run, in this process or another."""
        try:
            looking = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._unusable(error) from error
        try:
            answer = fcntl.fcntl(looking, fcntl.F_OFD_GETLK, region(fcntl.F_WRLCK, run))
        except OSError as error:
            raise self._unusable(error) from error
        finally:
            os.close(looking)
        kind: int = struct.unpack(FLOCK, answer)[0]
        return kind != fcntl.F_UNLCK

    def close(self) -> None:
        """Close the lock file, which releases every lock taken through it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
            self._own.clear()

    def _unusable(self, error: OSError) -> JournalError:
        return JournalError(f"the lock file {self._path} cannot be used: {error}")

    def _open(self) -> int:
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        return self._file


def region(kind: int, run: str) -> bytes:
    byte = int.from_bytes(hashlib.sha256(run.encode()).digest()[:7])
    return struct.pack(FLOCK, kind, os.SEEK_SET, byte, 1, 0)
