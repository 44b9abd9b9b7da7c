"""Doing without what a server refuses (models floor): found out once, for each model object.

Servers that speak one API speak it in part. What Hive sends unasked can be left out or said in
another way, so a refusal that names it is learned from, and the request is made again. What the
user has set is never left out: the error then says which setting it is.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, TypeVar

import httpx2

from hive.errors import BadReply, ContextOverflow, ModelError, RequestRefused
from hive.message import Attempt, OutputForm, Reply, Request
from hive.models.answers import answer_tool, by_instruction, by_tool, taken
from hive.models.bound import input_bound
from hive.models.catalog import Ability, card_of
from hive.models.link import Client
from hive.models.wire import Backend

__all__ = ["FORCED", "SCHEMA", "UNKNOWN", "Adapting", "Spare"]

C = TypeVar("C", bound=Client)

STATUSES = (400, 404, 422)
LONGEST = 4096
"""Characters of a refusal that are read; some quote the whole request after their first words."""

SCHEMA = "json_schema"
FORCED = "tool_choice"
ONE_SCHEMA = re.compile(r"invalid schema|grammar|too complex|format\.schema", re.IGNORECASE)
"""How servers say that they cannot take this schema, and not that they take none."""
UNKNOWN = r"unsupported|not support|unknown|unrecogni|unexpected|not permitted|extra (input|field)"
"""How servers say that they do not know a parameter, and not only its value."""


class Spare(NamedTuple):
    """Something sent unasked: how a refusal names it, and what else the refusal must say."""

    words: str
    only: str = ""


SETTINGS: Mapping[str, Spare] = {
    "temperature": Spare(r"temperature"),
    "seed": Spare(r"\bseed\b"),
    "effort": Spare(r"effort|thinking|reasoning(?![._ ]summar)"),
}


class Adapting(Backend[C]):
    """A backend that leaves out what its server has refused.

    `spare` lists, under the names they are sent by, the things that can be left out. A refused
    attempt is free; it stands on the reply or the error with the others, and a further one is made
    only if `request.admit` allows it.
    """

    spare: ClassVar[dict[str, Spare]] = {
        SCHEMA: Spare(
            r"response[_ ]?format|json[_ ]?schema|structured[_ ]outputs?|output_config\.format"
            r"|text\.format|grammar"
        ),
        FORCED: Spare(r"\btools?\b|tool[_ ]choice|function[_ ]call"),
    }
    lacks: frozenset[str] = frozenset()
    """What the server has turned out to do without."""

    async def complete(self, request: Request) -> Reply:
        """Answer one request (see `hive.models.Model`)."""
        tried: tuple[Attempt, ...] = ()
        while True:
            known, asked = self.lacks, self.fitted(request)
            try:
                reply = taken(await super().complete(asked), asked)
            except ModelError as error:
                tried = error.attempts = (*tried, *error.attempts)
                lack = self.refused(error, asked)
                if lack is None or lack in known:
                    raise
                self.lacks |= {lack}
                worst = card_of(self).worst(input_bound(asked), asked.max_output)
                if not request.admit(worst, tried):
                    raise
            else:
                return reply if not tried else reply.model_copy(update={"attempts": tried})

    def fitted(self, request: Request) -> Request:
        """The request as the server can be asked it: a typed answer by its schema, else through a
        tool that must be called, else by words."""
        if request.output is None:
            return request
        if self.able(SCHEMA, "output") and self.takes(request.output):
            return request
        if self.able(FORCED, "tools") and self.forces(request):
            return by_tool(request)
        return by_instruction(request)

    def able(self, thing: str, ability: Ability) -> bool:
        abilities = card_of(self).abilities
        return thing not in self.lacks and (abilities is None or ability in abilities)

    def takes(self, form: OutputForm) -> bool:
        return schema_of(form) not in self.lacks and self.expresses(form)

    def expresses(self, form: OutputForm) -> bool:
        """Whether the API can be given this schema."""
        return True

    def forces(self, request: Request) -> bool:
        """Whether the model can be made to call a tool here."""
        return True

    def refused(self, error: ModelError, asked: Request) -> str | None:
        """The spare thing that a refusal names; None where it is about something else, which the
        error is made to say where it is a setting of the role."""
        response = refusal(error)
        if response is None:
            return None
        # What was sent, and not what would be now: another call may have learned since.
        sent = response.request.content.decode()
        spare = {name: thing for name, thing in self.spare.items() if f'"{name}"' in sent}
        chosen = asked.settings.model_dump(exclude_none=True)
        things = {**spare, **{n: thing for n, thing in SETTINGS.items() if n in chosen}}
        found = named(blamed(response.content), response.text[:LONGEST], things)
        if found in chosen:
            error.args = (
                f"{error} The role sets {found}={chosen[found]!r}: leave it out of the role's"
                " settings, or choose a value or a model that goes with it.",
                *error.args[1:],
            )
            return None
        if found == SCHEMA and asked.output is not None and ONE_SCHEMA.search(response.text):
            return schema_of(asked.output)
        return found

    def heeded(self, reply: Reply, request: Request) -> Reply:
        """The reply, if it is in the form that was asked for; one that is not shows what the server
        does without. Raises `BadReply` if no tool was called where one had to be."""
        if reply.stop not in ("end", "length") or reply.tool_uses:
            return reply
        said = reply.text.lstrip()
        if request.output is not None and said and not said.startswith(("{", "```")):
            self.lacks |= {SCHEMA}
        if answer_tool(request) is not None and reply.stop == "end":
            self.lacks |= {FORCED}
            raise BadReply(f"{self.name}: the model did not call a tool, as it had to")
        return reply


def schema_of(form: OutputForm) -> str:
    """What one schema is called among the things that a server lacks."""
    return f"{SCHEMA} of {form.name}"


def refusal(error: ModelError) -> httpx2.Response | None:
    """The answer by which a server refused a request for what stands in it."""
    response = getattr(error.__cause__, "response", None)
    if not isinstance(error, RequestRefused) or isinstance(error, ContextOverflow):
        return None
    if not isinstance(response, httpx2.Response) or response.status_code not in STATUSES:
        return None
    return response


def blamed(body: bytes) -> str:
    """The parameter that a refusal blames; "" where it names none."""
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    inner = said.get("error", said) if isinstance(said, Mapping) else None
    param = inner.get("param") if isinstance(inner, Mapping) else None
    return param if isinstance(param, str) else ""


def named(param: str, text: str, things: Mapping[str, Spare]) -> str | None:
    """Which of the things a refusal is about: the parameter it blames, else what it names first."""
    for subject in (param, text):
        found = [
            (match.start(), place, name)
            for place, (name, thing) in enumerate(things.items())
            if (match := re.search(thing.words, subject, re.IGNORECASE))
            and re.search(thing.only, text, re.IGNORECASE)
        ]
        if found:
            return min(found)[2]
    return None
