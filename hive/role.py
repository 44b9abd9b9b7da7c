"""A role (floor 3): what a member of the team reads, writes and may call, as a frozen value."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hive.board.contributions import Attachment, Goal, Note, TestReport, UserMessage
from hive.board.payload import Payload
from hive.board.view import View
from hive.errors import DeclarationError
from hive.message import DEFAULTS, Settings

if TYPE_CHECKING:
    from hive.tools.tool import Tool

__all__ = ["Chain", "Program", "Role"]

Program = Callable[[View], Awaitable[Payload | Sequence[Payload] | None]]
"""A role that is a program: an async function of what it sees; what it returns is posted."""

NAME = re.compile(r"[a-z][a-z0-9_-]*")
RESERVED = frozenset({"user", "coordinator"})
TOOLS_POST = frozenset({TestReport.kind})
USERS = frozenset({Goal.kind, UserMessage.kind})
"""What only the user says, and all roles see."""


@dataclass(frozen=True)
class Role:
    """One member of a team.

    `reads` are the kinds it sees (all contributions when None), `writes` those it may post. A role
    that writes one kind answers in that kind's JSON, or in plain text if it is Note; one that
    writes several gets a `post_<kind>` tool for each, and answers in the JSON of `output` if that
    is given. The images and files in its answers are posted if it writes Attachment. `tools` are
    what it may call, `tier` pins a rung of models (the allocator chooses when None), `per` opens
    one strand per entry of a kind that it has not served yet. `program` makes the role an async
    function instead of a model. `corrections` is how often a reply that breaks the rules is sent
    back with the reason before the strand fails. `work` names the kind of work it does, such as
    "planning" or "review", for tables of models that go by it. `person` says that the turns of this
    role are somebody's own: the run waits for what they say.

    Raises DeclarationError when the role could not work.
    """

    name: str
    instructions: str = ""
    reads: tuple[type[Payload], ...] | None = None
    writes: tuple[type[Payload], ...] = (Note,)
    tools: "tuple[Tool, ...]" = ()
    tier: str | None = None
    per: type[Payload] | None = None
    output: type[Payload] | None = None
    program: Program | None = None
    corrections: int = 2
    settings: Settings = DEFAULTS
    work: str = ""
    person: bool = False

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or self.name in RESERVED:
            raise DeclarationError(
                f"{self.name!r} cannot name a role; use lower-case letters, digits, _ and -,"
                f" beginning with a letter, and none of {', '.join(sorted(RESERVED))}"
            )
        for option in ("reads", "writes", "tools"):
            given = getattr(self, option)
            if isinstance(given, list):
                object.__setattr__(self, option, tuple(given))
            elif not isinstance(given, tuple) and not (option == "reads" and given is None):
                name = getattr(given, "__name__", None) or getattr(given, "name", repr(given))
                raise DeclarationError(
                    f"role {self.name!r} has {option}={name}; give a tuple,"
                    f" as in {option}=({name},)"
                )
        self._check_kinds()
        self._check_tools()
        self._check_person()
        for kind in sorted(self.kinds_written & USERS):
            raise DeclarationError(
                f"role {self.name!r} may not write {kind}, not even through its tools; it is the"
                " user's own word"
            )
        if self.corrections < 0:
            raise DeclarationError(
                f"role {self.name!r} has corrections={self.corrections}; from 0 on"
            )

    def _check_kinds(self) -> None:
        if not self.writes:
            raise DeclarationError(
                f"role {self.name!r} writes nothing, so its work would leave no trace; give it"
                " writes=(Note,) or the kinds it should post"
            )
        named = (*self.writes, *(self.reads or ()), *((self.per,) if self.per else ()))
        for cls in named:
            if not (isinstance(cls, type) and issubclass(cls, Payload)):
                raise DeclarationError(
                    f"role {self.name!r} names {cls!r} where a Payload class is wanted"
                )
        for cls in self.writes:
            if cls.level != "domain":
                raise DeclarationError(
                    f"role {self.name!r} may not write {cls.kind}; records are the coordinator's"
                )
            if cls.kind in TOOLS_POST:
                raise DeclarationError(
                    f"role {self.name!r} may not write {cls.kind}; only the test tool posts it"
                )
        if self.output is not None and self.output not in self.writes:
            raise DeclarationError(
                f"role {self.name!r} has the output {self.output.kind} but writes"
                f" {', '.join(cls.kind for cls in self.writes)}; add it to writes"
            )
        if self.output is Attachment:
            raise DeclarationError(
                f"role {self.name!r} has the output Attachment, which nobody can write as JSON;"
                " leave it in writes alone: images and files in its answers are posted as that"
            )

    def _check_tools(self) -> None:
        for given in self.tools:
            if not all(hasattr(given, part) for part in ("name", "schema", "execute")):
                raise DeclarationError(
                    f"role {self.name!r} has the tool {given!r}, which is none; put @tool(...)"
                    " before the function"
                )
        names = [tool.name for tool in self.tools]
        for name in names:
            if names.count(name) > 1:
                raise DeclarationError(f"role {self.name!r} has two tools named {name!r}")
            if name.startswith("post_") or name in {"handoff", "ask", "pass"}:
                raise DeclarationError(
                    f"role {self.name!r} has a tool named {name!r}, a word the turn itself uses;"
                    " give the tool another name"
                )

    def _check_person(self) -> None:
        given = {
            "program": self.program is not None,
            "tools": bool(self.tools),
            "tier": self.tier is not None,
            "output": self.output is not None,
            "settings": self.settings != DEFAULTS,
        }
        if not self.person:
            return
        for option in (option for option, is_given in given.items() if is_given):
            raise DeclarationError(
                f"role {self.name!r} is a person and has {option}=…, which is for models and"
                " programs; leave it out"
            )
        if not self.said:
            raise DeclarationError(
                f"role {self.name!r} is a person and writes {self.writes[0].kind}, which nobody can"
                " say in words; add Note, or what they are to write"
            )

    @property
    def asks_model(self) -> bool:
        """Whether its turns are a model's: it is neither a program nor a person."""
        return self.program is None and not self.person

    @property
    def final(self) -> type[Payload] | None:
        """The kind that a final answer is read as; None where only `post_…` tools post."""
        if self.output is not None:
            return self.output
        said = self.said
        if len(said) == 1:
            return said[0]
        return Note if Note in self.writes else None

    @property
    def posted(self) -> tuple[type[Payload], ...]:
        """The kinds that a model posts with `post_<kind>` tools."""
        return () if len(self.said) == 1 else tuple(c for c in self.said if c is not self.final)

    @property
    def said(self) -> tuple[type[Payload], ...]:
        """The kinds that a model writes in words: all but the images and files it makes."""
        if Attachment not in self.writes:
            return self.writes
        return tuple(cls for cls in self.writes if cls is not Attachment)

    @property
    def kinds_written(self) -> frozenset[str]:
        """Every kind that can come from this role: its own, and those its tools post."""
        kinds = {cls.kind for cls in self.writes}
        kinds.update(part.kind for cls in self.writes for part in cls.unfolds)
        kinds.update(cls.kind for tool in self.tools for cls in tool.posts)
        return frozenset(kinds)

    def with_(self, **changes: Any) -> "Role":
        """The same role with some fields changed."""
        return replace(self, **changes)

    def __rshift__(self, other: "Role | Chain") -> "Chain":
        return Chain((self,)) >> other

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True)
class Chain:
    """Roles that hand on in order: `writer >> critic`. A Workflow turns it into a graph."""

    roles: tuple[Role, ...]

    def __rshift__(self, other: "Role | Chain") -> "Chain":
        return Chain((*self.roles, *(other.roles if isinstance(other, Chain) else (other,))))
