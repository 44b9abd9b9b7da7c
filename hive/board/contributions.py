"""The shipped contributions (floor 1): the domain level of the board, what roles say to each other.

A user's own kinds stand beside the roles that write them and are built in the same way.
"""

import base64
import re
from collections.abc import Iterable
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hive.board.payload import Payload
from hive.message import Media

__all__ = [
    "EVERYWHERE",
    "Answer",
    "Artifact",
    "Attachment",
    "Evidence",
    "Finding",
    "Goal",
    "Note",
    "Plan",
    "Question",
    "Review",
    "Task",
    "TaskChange",
    "TestFailure",
    "TestReport",
    "UserMessage",
    "Verdict",
]


ADDRESS = r"\d+/[a-z][\w@#.-]*/\d+(?:\.\d+)*"
"""How the address of a contribution reads, as a regular expression."""


class Piece(BaseModel):
    """A closed value inside a contribution."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Goal(Payload):
    """What the user wants; the entry that every run begins with."""

    text: str


class UserMessage(Payload):
    """What the user says to a run under way; like the goal, every role sees it."""

    text: str
    item: int = 0


class Attachment(Payload):
    """An image or a file: its bytes in base64, what they are ("image/png"), and a name.

    The user's come with the goal or with a message; a model's are what it made in its answers.
    """

    text: str
    """What it is, in a few words, for whoever cannot look at it."""
    media_type: str
    data: str
    name: str = ""
    item: int = 0

    @field_validator("data")
    @classmethod
    def _decodes(cls, data: str) -> str:
        base64.b64decode(data, validate=True)
        return data

    @classmethod
    def of(cls, media: Media, *, item: int = 0) -> "Attachment":
        """An image or a file as it is put on the board."""
        return cls(
            text=media.description,
            media_type=media.media_type,
            data=media.data,
            name=media.name or "",
            item=item,
        )

    @property
    def media(self) -> Media:
        """It as a part of a message."""
        return Media(media_type=self.media_type, data=self.data, name=self.name or None)


class Note(Payload):
    """Plain text, for roles that need no more form than that."""

    text: str


class Task(Payload):
    """One piece of work that somebody can take up."""

    id: str = Field(description="Short and unique within the run, like T1")
    title: str
    detail: str = ""
    files: tuple[str, ...] = Field(default=(), description="Paths this task is likely to touch")
    needs: tuple[str, ...] = Field(default=(), description="Ids of tasks that come first")
    accept: tuple[str, ...] = Field(
        default=(), description="What must hold when it is done, so that anybody can check it"
    )


class Plan(Payload):
    """How the goal will be reached; its tasks are posted beside it, one entry each.

    A plan is whole: a later one takes the place of what is still open of the one before, and a task
    that is done already stays done where it keeps its id and title.
    """

    unfolds: ClassVar[tuple[type[Payload], ...]] = (Task,)

    summary: str
    tasks: tuple[Task, ...]
    done_when: str = Field(description="How anybody can tell that the goal is reached")

    def unfold(self) -> Iterable[Payload]:
        return self.tasks


class TaskChange(Payload):
    """What becomes of a task: it is done, has failed, is skipped, or is adjusted, and so to be done
    as it reads from now on."""

    unfolds: ClassVar[tuple[type[Payload], ...]] = (Task,)

    id: str
    change: Literal["done", "failed", "skipped", "adjusted"]
    reason: str = Field(min_length=1)
    task: Task | None = Field(
        default=None, description="An adjusted task as it reads from now on, under the same id"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.task is None) == (self.change == "adjusted"):
            raise ValueError("an adjusted task is given as it reads from now on, and no other is")
        if self.task is not None and self.task.id != self.id:
            raise ValueError(f"the task is {self.id!r}, and keeps its id")
        return self

    def unfold(self) -> Iterable[Payload]:
        return () if self.task is None else (self.task,)


class Evidence(Piece):
    """Where something can be seen: a file, a line counted from 1, and what stands there."""

    path: str
    line: int
    excerpt: str


class Finding(Payload):
    """Something that was found out, with the evidence another role can check."""

    claim: str
    evidence: tuple[Evidence, ...] = ()
    confidence: Literal["low", "medium", "high"] = "medium"
    closes: tuple[str, ...] = Field(default=(), description="Ids of tasks this settles")


class Artifact(Payload):
    """A piece of work that was made or changed."""

    summary: str
    paths: tuple[str, ...] = Field(default=(), description="Files that were made or changed")
    closes: tuple[str, ...] = Field(default=(), description="Ids of tasks this settles")


class Review(Payload):
    """A judgement of somebody's work against its evidence."""

    said_as: ClassVar[str] = "yes or no, and why"

    approved: bool
    reasons: tuple[str, ...]
    evidence: tuple[Evidence, ...] = ()

    @classmethod
    def in_words(cls, words: str) -> Self | None:
        """A review by a yes or a no, with what follows as its reason."""
        found = re.fullmatch(r"(y|yes|n|no)\b(?:[\s,.:;!-]+(.*))?", words.strip(), re.I | re.S)
        if found is None:
            return None
        why = (found[2] or "").strip()
        return cls(approved=found[1].lower() in ("y", "yes"), reasons=(why,) if why else ())


class Verdict(Payload):
    """A ruling; `dissent` keeps what was argued on the other side."""

    version: ClassVar[int] = 2
    said_as: ClassVar[str] = (
        "accept, revise, give up or undecided, the address of what is accepted where there is a"
        " choice, and why"
    )

    ruling: Literal["accept", "revise", "give_up", "undecided"]
    reasons: tuple[str, ...]
    dissent: tuple[str, ...] = ()
    chosen: str | None = Field(
        default=None, description="Address of what is accepted, where there was a choice"
    )

    @field_validator("chosen")
    @classmethod
    def _bare(cls, chosen: str | None) -> str | None:
        """The address without the brackets that it is shown in."""
        return (chosen or "").strip().strip("[]") or None

    @classmethod
    def in_words(cls, words: str) -> Self | None:
        """A ruling by `accept 1/author#0/0.2, since …`, `revise: …`, `give up` or `undecided`, the
        address only where there is a choice."""
        found = re.fullmatch(
            r"((?i:accept|revise|give[ _]up|undecided))\b"
            rf"(?:\s+\[?({ADDRESS})\]?)?(?:[\s,.:;!-]+(.*))?",
            words.strip(),
            re.DOTALL,
        )
        if found is None:
            return None
        why = (found[3] or "").strip()
        return cls.model_validate(
            {
                "ruling": found[1].lower().replace(" ", "_"),
                "reasons": (why,) if why else (),
                "chosen": found[2],
            }
        )


class Question(Payload):
    """Something a role needs to know; `to` is a role's name or "user"."""

    text: str
    to: str = "user"


class Answer(Payload):
    """The answer to a question, whose address is `question`."""

    text: str
    question: str


class TestFailure(Piece):
    """One failing test: where it failed and what it said."""

    __test__: ClassVar[bool] = False

    id: str
    message: str
    path: str
    line: int
    excerpt: str = ""


class TestReport(Payload):
    """What a full run of the test suite showed, for one exact state of the workspace.

    Only the framework's test tool posts it; no role can write this kind.
    """

    __test__: ClassVar[bool] = False

    digest: str = Field(description="Digest of the workspace that was tested")
    collected: tuple[str, ...]
    passed: int
    failed: tuple[TestFailure, ...]
    complete: bool = Field(description="Whether the suite ran to its end")
    duration: int = Field(description="Microseconds")


EVERYWHERE: tuple[type[Payload], ...] = (Goal, UserMessage, Attachment)
"""The kinds that every run speaks: what a user says to it."""
