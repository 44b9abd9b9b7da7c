"""A person's word, asked for at the terminal while the run goes on elsewhere."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TextIO

import anyio
import orjson

from hive.cli.enquiring import shown
from hive.cli.words import clean
from hive.tools.approval import Approver, Judgement, ProposedCall
from hive.tools.person import Enquiry, Word

__all__ = ["AtTerminal", "Yes"]


class Yes:
    """Allows whatever the workflow's own rules would ask a person about (`--yes`)."""

    def __init__(self, rules: Approver) -> None:
        self.rules = rules

    async def judge(self, call: ProposedCall) -> Judgement:
        judgement = await self.rules.judge(call)
        if judgement.decision != "ask":
            return judgement
        return Judgement("allow", f"{judgement.reason}; --yes was given", "user")


class AtTerminal:
    """Asks whoever sits at the terminal about calls that need a yes, and for what a person says.

    `asking(question)` gives the terminal over while a question is open; it closes when somebody
    answers from elsewhere. An answer that is neither yes nor no, or the end of the input, leaves
    the call waiting. `by` is who sits there.
    """

    def __init__(
        self,
        asking: Callable[[str], AbstractContextManager[None]],
        by: str,
        source: TextIO | None = None,
    ) -> None:
        self.by = by
        self._asking = asking
        self._source = source or sys.stdin
        self._one = anyio.Lock()  # two strands may ask in one moment, and there is one keyboard

    async def decide(self, call: ProposedCall) -> Word | None:
        async with self._one:
            with self._asking(question(call)):
                answer = await self._answer()
        if answer in ("y", "yes"):
            return Word("allow", self.by, "allowed at the terminal")
        if answer in ("n", "no"):
            return Word("deny", self.by, "a person said no")
        return None

    async def answer(self, enquiry: Enquiry) -> Word | None:
        """Put a turn of their own to whoever sits at the terminal: a line, or `@` and the name of a
        file that says it. An empty line leaves it for later."""
        asked = f"{shown(enquiry.entries)}\n{clean(enquiry.text)}\n{enquiry.role}> "
        async with self._one:
            while True:
                with self._asking(asked):
                    line = await self._line()
                if not line.startswith("@"):
                    return Word("says", self.by, line) if line else None
                try:
                    return Word("says", self.by, await anyio.Path(line[1:]).read_text("utf-8"))
                except (OSError, UnicodeDecodeError) as error:
                    asked = f"{line[1:]} cannot be read: {error}\n{enquiry.role}> "

    async def _answer(self) -> str:
        return (await self._line()).lower()

    async def _line(self) -> str:
        # A terminal is readable once a whole line is there, so that nothing blocks the loop.
        await anyio.wait_readable(self._source.fileno())
        return self._source.readline().strip()


def question(call: ProposedCall) -> str:
    """What a person is asked: the whole call, so that nothing is allowed unseen."""
    if call.is_checkpoint:
        said = {name: clean(str(value)) for name, value in call.arguments.items()}
        asked = "May it begin? [y]es, [n]o, [l]ater: "
        return f"This is {said['level']} work, which may call {said['calls']}.\n{asked}"
    lines = [f"{call.role} wants to call {call.tool}, which is {call.effect}:"]
    for name, value in call.arguments.items():
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        first, *others = clean(text).split("\n")
        lines += [f"  {name}: {first}", *(f"    {line}" for line in others)]
    lines.append(f"What led to it is {trust(call)}.")
    return "\n".join([*lines, "Allow it? [y]es, [n]o, [l]ater: "])


def trust(call: ProposedCall) -> str:
    """How far the cause of a call can be trusted, in words."""
    return {
        "trusted": "the user's or the team's own word",
        "model": "a model's word",
        "outside": "read from outside (files, tools or the network)",
    }[call.label]
