"""Cassettes (models floor): a model's answers recorded once, and played again in tests."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from hive import errors
from hive.errors import DeclarationError, ModelError, RequestRefused
from hive.message import Attempt, Reply, Request
from hive.models.model import Model
from hive.models.scripted import spoken
from hive.models.wrappers.around import Around, identity

__all__ = ["Cassette"]


class Cassette(Around):
    """A model whose answers are on a file: recorded if the file is absent, played if it is there.

    Give it the model to be recorded; where the file is there that model is not asked, needs no key
    and makes no connection. Requests are told apart by digest and sample number, and one that comes
    again gets the next answer recorded for it. Failures are recorded too, and raised again. Usage
    and cost are as they were.

    The file is JSON, one answer in a line, to be kept with the tests; it holds what was answered
    and who was asked, and neither keys nor headers. To record anew, remove it.

    Raises: `DeclarationError` for a file that is no such recording; `complete` raises
    `RequestRefused` for a request that is not on it.
    """

    def __init__(self, model: Model | str, path: str | Path) -> None:
        super().__init__(model)
        self.path = Path(path)
        self.playing = self.path.exists()
        self._left: dict[str, list[dict[str, Any]]] = defaultdict(list)
        if self.playing:
            for number, line in enumerate(self._lines(), 1):
                try:
                    answer = json.loads(line)
                    self._left[answer["request"]].append(answer)
                except (ValueError, LookupError, TypeError):
                    raise DeclarationError(
                        f"{self.path}, line {number}, is no recorded answer; remove the file to "
                        "record it anew"
                    ) from None

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DeclarationError(f"{self.path} cannot be played: {error}") from error

    @property
    def left(self) -> int:
        """How many recorded answers were not played yet."""
        return sum(map(len, self._left.values()))

    def check(self) -> None:
        """Raise what would keep the model from being recorded; one that is played needs nothing."""
        if not self.playing:
            super().check()

    async def complete(self, request: Request) -> Reply:
        """The recorded answer, or the model's, which is recorded."""
        asked = identity(request, self.name)
        if self.playing:
            return self._play(asked, request)
        try:
            reply = await self.model.complete(request)
        except ModelError as error:
            self._record(asked, {"error": told(error)})
            raise
        self._record(asked, {"reply": reply.model_dump(exclude_none=True)})
        return reply

    def _play(self, asked: str, request: Request) -> Reply:
        known = self._left.get(asked)
        if not known:
            raise RequestRefused(
                f"{self.path} holds no (further) answer of {self.name} to this request: what is "
                "asked has changed since it was recorded; remove the file to record it anew"
            )
        answer = known.pop(0)
        if "error" in answer:
            raise again(answer["error"])
        return spoken(Reply.model_validate(answer["reply"]), request)

    def _record(self, asked: str, answer: dict[str, Any]) -> None:
        line = json.dumps({"request": asked, "model": self.name, **answer})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def told(error: ModelError) -> dict[str, Any]:
    attempts = [attempt.model_dump(exclude_defaults=True) for attempt in error.attempts]
    return {
        "kind": next(
            kind.__name__ for kind in type(error).__mro__ if hasattr(errors, kind.__name__)
        ),
        "message": str(error),
        "attempts": attempts,
        "retry_after": error.retry_after,
    }


def again(recorded: dict[str, Any]) -> ModelError:
    """The error that was recorded."""
    kind: type[ModelError] = getattr(errors, recorded["kind"])
    attempts = [Attempt.model_validate(attempt) for attempt in recorded["attempts"]]
    return kind(recorded["message"], attempts, recorded["retry_after"])
