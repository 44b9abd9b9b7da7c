"""A cache of replies (models floor): what was answered once is not paid for again."""

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import anyio.to_thread

from hive.message import Reply, Request, Usage
from hive.models.model import Model
from hive.models.scripted import spoken
from hive.models.wrappers.around import Around, identity

__all__ = ["Cached"]

KEPT = ("end", "tools")
"""How a reply must have ended to be worth keeping."""


class Cached(Around):
    """A model whose whole replies are kept in a folder, one file each, and given again.

    A reply is found by the request's digest and its sample number, so that independent samples stay
    independent. One that is found costs nothing, has used no tokens, and holds the same parts. Any
    number of processes may share a folder; `.hive/cache`, beside the journal, is the usual one.

    What is kept there is text that was said in runs: whoever may not read a journal should not read
    the folder either, and what is redacted in a run stays in it until the folder is removed. A file
    that cannot be read counts as absent.

    Raises `OSError` where a reply cannot be written: a full disk, a folder without permission.
    """

    def __init__(self, model: Model | str, folder: str | Path = ".hive/cache") -> None:
        super().__init__(model)
        self.folder = Path(folder)

    async def complete(self, request: Request) -> Reply:
        """The reply that is kept, or the model's, then kept. Raises what the model does."""
        path = self.folder / f"{identity(request, self.name)}.json"
        known = await anyio.to_thread.run_sync(read, path)
        if known is not None:
            return spoken(known, request)
        reply = await self.model.complete(request)
        if reply.stop in KEPT and reply.parts:
            await anyio.to_thread.run_sync(write, path, reply)
        return reply


def read(path: Path) -> Reply | None:
    try:
        known = Reply.model_validate(json.loads(path.read_bytes()))
    except (FileNotFoundError, ValueError):
        return None
    return known.model_copy(update={"usage": Usage(), "cost": 0, "attempts": (), "waited": 0})


def write(path: Path, reply: Reply) -> None:
    """Keep a reply; whoever reads at the same time sees all of it or nothing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(json.dumps(reply.model_dump()).encode())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
