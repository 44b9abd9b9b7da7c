"""The journal that lasts as long as its process (floor 2): for scripts, tests, brief runs."""

from collections.abc import Iterator, Sequence

from hive.board.canonical import decode
from hive.board.entry import Content, Row
from hive.errors import RunNotFound, StaleWriter
from hive.journal.journal import Batch, Commit, Stored

__all__ = ["MemoryJournal"]


class MemoryJournal:
    """Rows and contents in dictionaries; the same promises as any journal, but for durability."""

    commit: Commit = "instant"

    def __init__(self) -> None:
        self._rows: dict[str, list[Row]] = {}
        self._contents: dict[str, dict[bytes, Content]] = {}
        self._held: set[str] = set()

    def append(self, batches: Sequence[Batch], *, wait: bool) -> None:
        for batch in batches:
            known = len(self._rows.get(batch.run, ()))
            if known != batch.expected:
                raise StaleWriter(
                    f"run {batch.run} has {known} entries where this writer expected"
                    f" {batch.expected}; another one has extended it"
                )
        for batch in batches:
            self._rows.setdefault(batch.run, []).extend(batch.rows)
            contents = self._contents.setdefault(batch.run, {})
            for content in (*batch.contents, *batch.kept):
                contents[content.commitment] = content

    def read(self, run: str, start: int = 0) -> Iterator[Stored]:
        if run not in self._rows:
            raise RunNotFound(f"no run {run!r} in this process's memory")
        contents = self._contents[run]
        for row in self._rows[run][start:]:
            commitment = bytes.fromhex(decode(row.header)["content"])
            content = contents.get(commitment)
            yield Stored(row, None if content is None else content.body)

    def content(self, run: str, commitment: str) -> bytes | None:
        content = self._contents.get(run, {}).get(bytes.fromhex(commitment))
        return None if content is None else content.body

    def runs(self) -> list[str]:
        return sorted(self._rows, reverse=True)

    def hold(self, run: str) -> bool:
        if run in self._held:
            return False
        self._held.add(run)
        return True

    def release(self, run: str) -> None:
        self._held.discard(run)

    def held(self, run: str) -> bool:
        return run in self._held

    def close(self) -> None:
        """Nothing to let go of: the runs stay readable."""
