"""Provider-neutral messages (floor 0): what goes to a model and what comes back."""

import base64
import math
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Protocol, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from hive.errors import DeclarationError

__all__ = [
    "DEFAULTS",
    "Admit",
    "Attempt",
    "JsonObject",
    "Media",
    "Message",
    "OutputForm",
    "Part",
    "Reply",
    "Request",
    "RetryReason",
    "Settings",
    "StopReason",
    "Text",
    "Thinking",
    "ToolForm",
    "ToolResult",
    "ToolUse",
    "Usage",
]


if TYPE_CHECKING:
    JsonObject = dict[str, JsonValue]
else:  # pydantic checks JsonValue item by item, in Python; the board checks it once, when posted
    JsonObject = dict[str, Any]


class Frozen(BaseModel):
    """A closed, immutable value that can be written down as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Frozen):
    """Plain text. `source` is the address of the entry it shows; it is not sent to a model."""

    type: Literal["text"] = "text"
    text: str
    source: str | None = None


class Thinking(Frozen):
    """A model's reasoning, kept to be sent back unchanged to the provider that made it."""

    type: Literal["thinking"] = "thinking"
    text: str
    provider: str
    opaque: JsonObject = {}
    """What the provider needs back: signatures, encrypted items, ids."""


class ToolUse(Frozen):
    """A model asks for a tool. `malformed` holds arguments that are no JSON object, as text."""

    type: Literal["tool_use"] = "tool_use"
    id: str
    name: str
    arguments: JsonObject = {}
    malformed: str | None = None


MOST_BYTES = 32 * 2**20
"""The most that one image or file may hold: what the most generous provider takes in a request."""
MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"%PDF-": "application/pdf",
    b"ID3": "audio/mpeg",
    b"\xff\xfb": "audio/mpeg",
    b"fLaC": "audio/flac",
    b"OggS": "audio/ogg",
}
RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}


class Media(Frozen):
    """An image or a file: its bytes in base64, what they are ("image/png"), and a name for it.

    The bytes stand here and not an address, so that a record holds what was seen.
    """

    type: Literal["media"] = "media"
    media_type: str
    data: str
    name: str | None = None
    source: str | None = None

    @field_validator("data")
    @classmethod
    def _decodes(cls, data: str) -> str:
        # No constraint of the field: what stands in records is then written without pydantic.
        base64.b64decode(data, validate=True)
        return data

    @classmethod
    def of(cls, content: bytes, name: str | None = None) -> "Media":
        """These bytes, of the type that they show, or else that the name has.

        Raises `DeclarationError` above 32 MiB.
        """
        if len(content) > MOST_BYTES:
            raise DeclarationError(
                f"{name or 'a file'} is larger than {MOST_BYTES:,} bytes, the most that a model is "
                "given in one piece; cut it, or make the picture smaller"
            )
        written = base64.b64encode(content).decode("ascii")
        return cls(media_type=type_of(content, name), data=written, name=name)

    @classmethod
    def read(cls, path: str | Path) -> "Media":
        """The file at `path`, under its own name.

        Raises `OSError` where it cannot be read, and `DeclarationError` above 32 MiB.
        """
        with Path(path).open("rb") as file:
            return cls.of(file.read(MOST_BYTES + 1), Path(path).name)

    @property
    def content(self) -> bytes:
        """The bytes themselves."""
        return base64.b64decode(self.data)

    @property
    def description(self) -> str:
        """What it is, in words: "an image: photo.png, image/png, 12,345 bytes"."""
        what = "an image" if self.is_image else "a file"
        return f"{what}: {self.name or 'without a name'}, {self.media_type}, {self.size:,} bytes"

    @property
    def is_image(self) -> bool:
        """Whether it is a picture; anything else is a file."""
        return self.media_type.startswith("image/")

    @property
    def size(self) -> int:
        """How many bytes it holds."""
        return len(self.data) * 3 // 4 - self.data[-2:].count("=")


def type_of(content: bytes, name: str | None) -> str:
    """The media type: by the first bytes, by the name, or text where all of it is that."""
    for magic, found in MAGIC.items():
        if content.startswith(magic):
            return found
    if content[:4] == b"RIFF" and content[8:12] in RIFF:
        return RIFF[content[8:12]]
    # The types that Python itself knows, the same on every machine.
    guessed, packed = mimetypes.MimeTypes().guess_type(name or "")
    # Many a source file's ending means something else to others: ".ts" is a film.
    if (guessed is None or guessed.startswith(("audio/", "video/"))) and is_text(content):
        return "text/plain"
    return "application/octet-stream" if guessed is None or packed else guessed


def is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


class ToolResult(Frozen):
    """What came back from a tool, under the `id` of its ToolUse: text, and images or files."""

    type: Literal["tool_result"] = "tool_result"
    id: str
    name: str
    text: str
    media: tuple[Media, ...] = ()
    error: bool = False
    source: str | None = None


Part = Annotated[Text | Thinking | Media | ToolUse | ToolResult, Field(discriminator="type")]


@dataclass(frozen=True, slots=True)
class Message:
    """One message: what the user says, what the assistant answered, or what its tools returned."""

    role: Literal["user", "assistant", "tool"]
    parts: tuple[Text | Thinking | Media | ToolUse | ToolResult, ...]

    @property
    def text(self) -> str:
        """The text parts joined by newlines."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text))


@dataclass(frozen=True, slots=True)
class ToolForm:
    """A tool as a model sees it; `schema` is the JSON Schema of its arguments, an object."""

    name: str
    description: str
    schema: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class OutputForm:
    """The JSON that a final answer must be; `schema` is a JSON Schema, an object."""

    name: str
    schema: dict[str, JsonValue]


class Settings(Frozen):
    """How a model should answer. None leaves the choice to the model's own default.

    What a model or its API does not have is refused, with an error that names the setting; it is
    never left out quietly.
    """

    temperature: float | None = Field(default=None, ge=0, le=2)
    """How freely words are chosen; up to 1 at Anthropic. Models that reason refuse it, most of
    them always, some while they do."""
    seed: int | None = None
    """The same seed and request should give the same answer; Chat Completions only, and there as
    well as the server can."""
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    """How much is thought before it answers; "none" switches that off. Not every model has every
    level. At Anthropic, where a level asks for thinking with it, "minimal" is "low", and models
    that know no levels may think for an eighth ("minimal") to seven eighths ("xhigh", "max") of
    the output, if that is at least 1,024 tokens. Thinking counts as output."""
    cache: Literal["off"] | None = None
    """"off" where the provider should not be asked to keep the prompt's beginning for a while.
    Some keep it unasked: OpenAI's models before GPT-5.6 do."""


DEFAULTS = Settings()
"""Everything left to the model."""


class Admit(Protocol):
    """What must be asked before a further attempt at a request that may cost money."""

    def __call__(self, cost: int, tried: "tuple[Attempt, ...]" = ()) -> bool:
        """Whether an attempt may be made that may cost so many nano-dollars; False means: stop, and
        fail with the last error. `tried` are all attempts at this request that have failed so far,
        so that they are on record even where the call is cut off before it ends."""
        ...


def admit_always(cost: int, tried: "tuple[Attempt, ...]" = ()) -> bool:
    """Admit a further attempt of any cost; the rule for requests made outside a run."""
    return True


def forever() -> float:
    """All the time in the world; the rule for requests made outside a run."""
    return math.inf


class Request(NamedTuple):
    """Everything a model is asked.

    `max_output` is in tokens. `digest` identifies what is asked (hex, the same for equal requests,
    taken before `max_output` was lowered to fit a budget). `admit` must be asked before any
    further attempt that may cost money, in nano-dollars; False means: stop and fail with the last
    error. `left()` are the seconds until the call is cancelled. `delta` receives pieces of text as
    they arrive, if anybody listens; those of an attempt that failed too. The first `stable` parts
    of the first message are likely to begin later requests too, so that a prompt cache pays.
    """

    model: str
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolForm, ...] = ()
    output: OutputForm | None = None
    max_output: int = 4096
    settings: Settings = DEFAULTS
    sample: int = 0
    digest: str = ""
    admit: Admit = admit_always
    left: Callable[[], float] = forever
    delta: Callable[[str], None] | None = None
    stable: int = 0


class Usage(Frozen):
    """What a call used, in tokens; `input` includes the cached ones. `units` counts other work
    (tests executed, CPU seconds), for models that are programs."""

    input: int = 0
    output: int = 0
    cached_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    units: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input=self.input + other.input,
            output=self.output + other.output,
            cached_read=self.cached_read + other.cached_read,
            cache_write=self.cache_write + other.cache_write,
            reasoning=self.reasoning + other.reasoning,
            units=self.units + other.units,
        )


RetryReason = Literal[
    "rate_limited",
    "server_failed",
    "timeout",
    "bad_reply",
    "context_overflow",
    "refused",
    "held_back",
    "left_alone",
    "failed",
]
"""Why an attempt gave no reply, in a word."""


class Attempt(Frozen):
    """One attempt that did not give the reply: why, what the server said, what it cost.

    `cost` (nano-dollars) and `tokens` are what it is settled at: what it used where that is known,
    the most that it may have used where not, nothing where the server surely did no work.
    """

    reason: RetryReason
    status: int | None = None
    wait: int = 0
    """Microseconds waited before the next attempt."""
    cost: int = 0
    tokens: int = 0
    usage: Usage | None = None
    """What the server had reported by then; None where it reported nothing."""
    model: str | None = None
    """Who was asked, where that was not the model of the request."""

    @field_validator("reason", mode="before")
    @classmethod
    def known(cls, word: object) -> object:
        """The word, or "failed" for one that another version or a model of one's own has written,
        so that every record can be read."""
        return "failed" if isinstance(word, str) and word not in get_args(RetryReason) else word


StopReason = Literal["end", "tools", "length", "overflow", "refusal", "filter", "pause"]
"""Why an answer ended: it was complete; tools are to be called; at the limit of its own output; at
the end of the model's window; the model refused; a filter cut it off; the server stopped for now
and wants to be asked to go on."""


class Reply(Frozen):
    """What a model answered. `model` is the name the server gives itself, where it does.

    `cost`, in nano-dollars, is for models that know better than their card: where several may
    answer at several prices, or where nobody had to be asked. `usage` and `cost` are of this answer
    alone, without its `attempts`. `waited` are the microseconds that it was held back, for a limit
    or until another attempt. `left_out` says what of the request this model was not shown, or shown
    in another form: thinking of another provider, images where it sees none.
    """

    parts: tuple[Part, ...]
    stop: StopReason = "end"
    usage: Usage = Usage()
    cost: int | None = None
    model: str | None = None
    id: str | None = None
    attempts: tuple[Attempt, ...] = ()
    waited: int = 0
    left_out: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text parts joined by newlines."""
        return "\n".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def tool_uses(self) -> tuple[ToolUse, ...]:
        """The tools asked for, in order."""
        return tuple(part for part in self.parts if isinstance(part, ToolUse))
