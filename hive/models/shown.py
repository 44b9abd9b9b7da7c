"""What a model is shown of a conversation (models floor): the one place that decides it.

A conversation may come from anywhere: from other providers, with images, with calls that nobody
answered. Here it is put in the form that every provider takes: turns of the user and the assistant,
one after the other, the results of calls first in the turn after them. What the next model cannot
be shown is named. What a backend sends is this, in its provider's words, with nothing decided anew.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from hive.message import Media, Message, Part, Request, Text, Thinking, ToolResult, ToolUse
from hive.models.catalog import Ability
from hive.models.naming.providers import parted
from hive.models.sizes import picture

__all__ = ["Rules", "maker_of", "shown"]

NO_NAME_CHARACTER = re.compile(r"[^a-zA-Z0-9_-]")
LONGEST_NAME = 64
GO_ON = Text(text="Go on.")
UNANSWERED = "No result of this call is known."
WORDS = re.compile(
    r"text/.+|.+\+(json|xml|yaml)"
    r"|application/(json|jsonl|ndjson|x-ndjson|xml|yaml|x-yaml|toml|sql|graphql|javascript"
    r"|ecmascript|typescript|x-javascript|x-python|x-sh|x-shellscript|x-tex|x-latex|x-httpd-php)"
)
"""Media types of files that are text."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a wire format takes: media types of `images` and of other `files`, and ids of tool calls
    that match `ids`. An id that does not is replaced by one of `id_length` hexadecimal digits.

    An image has at most `largest_image` characters of base64 and, where requests hold more than so
    many images, a side of at most so many pixels: pairs of both numbers, ascending.
    """

    images: frozenset[str]
    files: frozenset[str]
    largest_image: int
    ids: re.Pattern[str]
    id_length: int = 24
    sides: tuple[tuple[int, int], ...] = ()


def maker_of(name: str) -> str:
    """Who makes the thinking of a model: its provider, at its own server if the name has one."""
    named = parted(name)
    return f"{named.provider}@{urlsplit(named.address).netloc}" if named.address else named.provider


def shown(
    request: Request, rules: Rules, maker: str, abilities: Set[Ability] | None
) -> tuple[Request, tuple[str, ...]]:
    """The request as it can be sent, and what of it the model is not shown.

    `maker` is whose thinking may be sent back, `abilities` are the model's, None where unknown.
    Equal beginnings of conversations give equal beginnings of what is sent, so caches hold; but for
    large images, once they are too many.
    """
    if plain(request.messages):
        return request, ()
    telling = Telling(rules, maker, abilities)
    if rules.sides:
        telling.longest_side = longest_side(request.messages, rules)
    for is_assistant, parts in turns(request.messages, telling):
        (telling.answer if is_assistant else telling.hear)(parts)
    blank = sum(is_blank(part) for part in firsts(request))
    seen = request._replace(messages=telling.end(), stable=request.stable - blank)
    return seen, telling.left_out()


def plain(messages: Iterable[Message]) -> bool:
    """Whether nothing needs doing: words alone, in turns that begin and end with the user's."""
    expected = "user"
    for message in messages:
        if message.role != expected or not message.parts:
            return False
        for part in message.parts:
            if type(part) is not Text or is_blank(part):
                return False
        expected = "assistant" if expected == "user" else "user"
    return expected == "assistant"


def is_blank(part: Part) -> bool:
    """Whether it is text without a character to be seen, which providers refuse."""
    return type(part) is Text and (not part.text or part.text.isspace())


def longest_side(messages: Iterable[Message], rules: Rules) -> int | None:
    """How many pixels the side of an image may have, among as many images as there are."""
    parts = [part for message in messages for part in message.parts]
    found = sum(isinstance(part, Media) and part.is_image for part in parts)
    results = [part for part in parts if isinstance(part, ToolResult)]
    found += sum(media.is_image for result in results for media in result.media)
    return min((side for more, side in rules.sides if found > more), default=None)


def firsts(request: Request) -> tuple[Part, ...]:
    """The parts that later requests are likely to begin with too."""
    return request.messages[0].parts[: request.stable] if request.messages else ()


def turns(messages: Iterable[Message], telling: "Telling") -> list[tuple[bool, list[Part]]]:
    """What each side said in a row, without blank text and other makers' thinking."""
    found: list[tuple[bool, list[Part]]] = []
    for message in messages:
        said_by_assistant = message.role == "assistant"
        for part in message.parts:
            if is_blank(part):
                continue
            is_assistant = said_by_assistant
            if isinstance(part, Thinking):
                if part.provider != telling.maker:
                    telling.foreign[part.provider] += 1
                    continue
                is_assistant = True
            elif isinstance(part, ToolUse):
                is_assistant = True
            elif isinstance(part, ToolResult):
                is_assistant = False
            if found and found[-1][0] == is_assistant:
                found[-1][1].append(part)
            else:
                found.append((is_assistant, [part]))
    return found


class Telling:
    """A conversation as it is being told to a model."""

    def __init__(self, rules: Rules, maker: str, abilities: Set[Ability] | None) -> None:
        self.rules = rules
        self.maker = maker
        self.abilities = abilities
        self.messages: list[Message] = []
        self.waiting: list[tuple[str, str]] = []
        """The calls of the last turn: the id under which the result comes, and the one sent."""
        self.made: list[Media] = []
        """What the assistant made, which only a user may send."""
        self.longest_side: int | None = None
        self.ids: set[str] = set()
        self.foreign: Counter[str] = Counter()
        self.dangling = 0
        self.unseen: list[str] = []

    def answer(self, parts: list[Part]) -> None:
        """Add a turn of the assistant."""
        said: list[Part] = []
        for part in parts:
            if isinstance(part, Media):
                self.made.append(part)
            else:
                said.append(self.call(part) if isinstance(part, ToolUse) else part)
        while said and isinstance(said[-1], Thinking):  # refused where nothing follows
            said.pop()
            self.dangling += 1
        if not said:
            return
        if not self.messages:
            self.add("user", [GO_ON])
        self.add("assistant", said)

    def call(self, use: ToolUse) -> ToolUse:
        """A call under an id and a name that can be sent."""
        identity = use.id
        if identity in self.ids or not self.rules.ids.fullmatch(identity):
            identity = self.fresh(use.id)
        self.ids.add(identity)
        self.waiting.append((use.id, identity))
        name = NO_NAME_CHARACTER.sub("_", use.name)[:LONGEST_NAME] or "unnamed"
        if identity == use.id and name == use.name:
            return use
        return use.model_copy(update={"id": identity, "name": name})

    def fresh(self, identity: str) -> str:
        """An id made of another, the same whenever the conversation is sent again."""
        written, number = identity.encode("utf-8", "surrogatepass"), 0
        while True:
            digest = hashlib.sha256(b"%d %b" % (number, written)).hexdigest()
            if (found := digest[: self.rules.id_length]) not in self.ids:
                return found
            number += 1

    def hear(self, parts: list[Part]) -> None:
        """Add a turn of the user: first a result for each call, then what the assistant made."""
        waiting, self.waiting = self.waiting, []
        results: list[ToolResult | None] = [None] * len(waiting)
        said: list[Part] = []
        for part in parts:
            if isinstance(part, ToolResult):
                for place, (identity, sent) in enumerate(waiting):
                    if identity == part.id and results[place] is None:
                        results[place] = self.result(part, sent)
                        break
                else:
                    said += self.orphan(part)
            else:
                said.append(self.see(part) if isinstance(part, Media) else part)
        made, self.made = self.made, []
        heard: list[Part] = [
            ToolResult(id=sent, name="", text=UNANSWERED, error=True) if found is None else found
            for found, (_, sent) in zip(results, waiting, strict=True)
        ]
        for media in made:
            heard += [Text(text="What the assistant made:"), self.see(media)]
        self.add("user", heard + said or [GO_ON])

    def result(self, result: ToolResult, identity: str) -> ToolResult:
        """A result under the id of its call as it is sent, with files that are text as text."""
        if not result.media:
            return result if result.id == identity else result.model_copy(update={"id": identity})
        seen = [self.see(media) for media in result.media]
        texts = [result.text, *[part.text for part in seen if isinstance(part, Text)]]
        return result.model_copy(
            update={
                "id": identity,
                "text": "\n\n".join(text for text in texts if text),
                "media": tuple(part for part in seen if isinstance(part, Media)),
            }
        )

    def orphan(self, result: ToolResult) -> list[Part]:
        """A result whose call is not in the turn before, as what a user tells."""
        words = f"A result of the tool {result.name or 'without a name'}:\n{result.text}"
        return [Text(text=words), *[self.see(media) for media in result.media]]

    def see(self, media: Media) -> Text | Media:
        """An image or a file where the model can be shown it, its text, or a note in its place."""
        if WORDS.fullmatch(media.media_type.partition(";")[0]):
            try:
                words = media.content.decode("utf-8-sig")
            except UnicodeDecodeError:
                why = "it is no text in UTF-8"
            else:
                return Text(text=f"File {media.name or 'without a name'}:\n{words}")
        elif (trouble := self.trouble(media)) is None:
            return media
        else:
            why = trouble
        self.unseen.append(f"{media.description}; {why}")
        return Text(text=f"[Not shown: {media.description}; {why}.]")

    def trouble(self, media: Media) -> str | None:
        """Why the model cannot be shown it."""
        if media.is_image:
            if self.abilities is not None and "images" not in self.abilities:
                return "this model sees no images"
            if len(media.data) > self.rules.largest_image:
                most = self.rules.largest_image * 3 // 4
                return f"this API takes no images of more than {most:,} bytes"
            if self.longest_side and max(picture(media) or (0,)) > self.longest_side:
                return f"this API takes no images of more than {self.longest_side:,} pixels a side"
        elif self.abilities is not None and "files" not in self.abilities:
            return "this model reads no such files"
        if media.media_type in (self.rules.images if media.is_image else self.rules.files):
            return None
        return "this API does not take the type"

    def add(self, role: Literal["user", "assistant"], parts: list[Part]) -> None:
        last = self.messages[-1] if self.messages else None
        if last is not None and last.role == role:
            self.messages[-1] = Message(role, (*last.parts, *parts))
        else:
            self.messages.append(Message(role, tuple(parts)))

    def end(self) -> tuple[Message, ...]:
        """The whole conversation; it ends with the user, who has the model go on if need be."""
        if self.waiting or self.made or not self.messages or self.messages[-1].role != "user":
            self.hear([])
        return tuple(self.messages)

    def left_out(self) -> tuple[str, ...]:
        """What the model is not shown, for the record."""
        thoughts = [f"{pieces(count)} by {maker}" for maker, count in self.foreign.items()]
        if self.dangling:
            thoughts.append(f"{pieces(self.dangling)} that nothing followed")
        return (*thoughts, *self.unseen)


def pieces(count: int) -> str:
    return f"{count} piece{'' if count == 1 else 's'} of thinking"
