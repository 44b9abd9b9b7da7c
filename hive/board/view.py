"""What one role may see (floor 1): contributions of closed turns, within a budget of tokens.

A window keeps its start while it fills and drops a block when full, so that the prompts of one role
share a long prefix and providers' caches survive.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from hive.board.canonical import decode, encode
from hive.board.contributions import Attachment, Goal
from hive.board.entry import Entry, Label, join_labels
from hive.board.media import MARK, media_in, media_tokens, without_bytes
from hive.board.payload import Payload
from hive.board.records import Fault, Inference, Observation, Request, Spoken, ToolCall
from hive.message import Media, Text

__all__ = [
    "FORM",
    "LONGEST_SHOWN",
    "Gallery",
    "Shown",
    "View",
    "Window",
    "excerpt",
    "line_of",
    "narrowed",
    "show",
    "tokens_of",
]

FORM = 1
"""Version of the way in which entries are shown; stands on every Request."""

LONGEST_SHOWN = 12_000
"""Characters of one entry that a view shows; the middle of longer ones is left out, visibly."""

HUNG = 256
"""Entries that are kept ready as they are shown; older ones are made anew when wanted."""

LINE_BREAKS = {code: f"\\u{code:04x}" for code in (0x85, 0x2028, 0x2029)}
"""Those that JSON does not escape."""

HIDDEN: Mapping[type[Payload], frozenset[str]] = {
    Fault: frozenset({"served"}),
    Inference: frozenset({"served"}),
    Observation: frozenset({"served"}),
    Request: frozenset({"system", "tools", "output"}),
    Spoken: frozenset({"served"}),
    ToolCall: frozenset({"key"}),
}
"""Fields that are never shown: they say which run it is, not what it did."""

GIVEN = frozenset({Goal.kind, Attachment.kind})
"""What stays in a window where the run began with it."""

KEPT_PERCENT = 70
"""How full a window is left when it had to drop entries."""


class Shown(NamedTuple):
    """An entry as it is shown to models."""

    entry: Entry
    address: str
    part: Text
    tokens: int
    digest: bytes
    media: tuple[Media, ...] = ()
    """The images and files in it, which follow its text."""

    @property
    def parts(self) -> tuple[Text | Media, ...]:
        """The entry as it is put to a model."""
        return (self.part, *self.media)


class View(NamedTuple):
    """What a role sees, as of one decision: the goal with the images and files that the user handed
    over with it, then the window, in address order."""

    shown: tuple[Shown, ...] = ()
    parts: tuple[Text | Media, ...] = ()
    """The entries as they are put to a model, the images and files in them after their texts."""
    causes: tuple[str, ...] = ()
    """The addresses of what is shown."""
    digest: bytes = b""
    """SHA-256 over all that is shown."""
    omitted: int = 0
    """Entries that were dropped to stay within the budget."""
    label: Label = "trusted"
    """The least trust of anything shown."""
    cause: Entry | None = None
    """The entry this strand was opened for, where the role takes one strand per entry."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries themselves, for roles that are programs."""
        return tuple(item.entry for item in self.shown)


def tokens_of(text: str) -> int:
    """An estimate of a text's length in tokens: four characters each, and a few for its frame."""
    return len(text) // 4 + 4


def excerpt(text: str, longest: int, rest: str) -> str:
    """The text, or its head and tail when it is longer than `longest` characters, saying how much
    was left out and where the rest is to be read."""
    if len(text) <= longest:
        return text
    head, tail = longest * 2 // 3, longest // 3
    left_out = len(text) - head - tail
    return f"{text[:head]}\n[… {left_out} characters left out here; {rest} …]\n{text[-tail:]}"


def show(entry: Entry) -> Shown:
    """An entry as a model sees it: a line with address, kind, author and trust, then its data as
    one line of JSON. Line breaks are escaped, so content can never forge such a first line."""
    address = str(entry.address)
    text = f"[{address}] {entry.kind} by {entry.author} ({entry.label})\n{line_of(entry)}"
    digest = hashlib.sha256(text.encode())
    part, tokens = Text(text=text, source=address), tokens_of(text)
    if MARK not in entry.body:
        return Shown(entry, address, part, tokens, digest.digest())
    media = media_in(entry)
    for each in media:
        tokens += media_tokens(each)
        digest.update(hashlib.sha256(f"{each.media_type}\n{each.data}".encode()).digest())
    return Shown(entry, address, part, tokens, digest.digest(), media)


def line_of(entry: Entry) -> str:
    """An entry's data as one line of JSON, of images and files how many bytes they have; the middle
    of a long one is left out, visibly."""
    body = "(erased)" if entry.erased else shown_body(entry).decode()
    if not body.isascii():
        body = body.translate(LINE_BREAKS)
    if len(body) <= LONGEST_SHOWN:
        return body
    return excerpt(body, LONGEST_SHOWN, f"the whole entry is {entry.address}").replace("\n", " ")


def shown_body(entry: Entry) -> bytes:
    """The data without what only says which run this is, and would make the same work in a fork
    look like another."""
    hidden = HIDDEN.get(entry.cls)
    if hidden is None and MARK not in entry.body:
        return entry.body
    data = without_bytes(decode(entry.body))
    return encode({key: value for key, value in data.items() if key not in (hidden or ())})


def is_given(entry: Entry) -> bool:
    """Whether the run began with an entry that stays in every window."""
    return not entry.turn and entry.kind in GIVEN


def narrowed(view: View, most: int, size: Callable[[Shown], int]) -> View:
    """A view with what was given and the newest entries beside that, of at most so great a size."""
    given = [item for item in view.shown if is_given(item.entry)]
    kept: list[Shown] = []
    for item in reversed(view.shown):
        if is_given(item.entry):
            continue
        most -= size(item)
        if most < 0:
            break
        kept.append(item)
    items = (*given, *reversed(kept))
    return View(
        items,
        tuple([part for item in items for part in item.parts]),
        tuple([item.address for item in items]),
        hashlib.sha256(b"".join([item.digest for item in items])).digest(),
        view.omitted + len(view.shown) - len(items),
        join_labels(*[item.entry.label for item in items]),
        view.cause,
    )


class Gallery:
    """The newest entries as they are shown, made once for all windows of a board."""

    def __init__(self) -> None:
        self._shown: dict[int, Shown] = {}

    def show(self, entry: Entry) -> Shown:
        """The entry as it is shown."""
        shown = self._shown.get(entry.seq)
        if shown is None:
            shown = self._shown[entry.seq] = show(entry)
            if len(self._shown) > HUNG:
                del self._shown[next(iter(self._shown))]
        return shown


class Window:
    """The newest entries of some kinds that fit a budget of tokens; the goal always stays, and so
    do the images and files that came with it, which do not count.

    A pure fold over the closed entries: the same entries give the same window, however often it was
    looked at on the way. What a view needs is kept as it grows, so that a turn only adds to it.
    """

    def __init__(self, kinds: frozenset[str], budget: int, gallery: Gallery) -> None:
        self.kinds = kinds
        self.budget = budget
        self.gallery = gallery
        self.given: list[Shown] = []
        self.items: list[Shown] = []
        self.parts: list[Text | Media] = []
        self.causes: list[str] = []
        self.running = hashlib.sha256()
        self.label: Label = "trusted"
        self.tokens = 0
        self.omitted = 0
        self.position = 0
        self._view: View | None = None

    def advance(self, closed: list[Entry]) -> View:
        """Take in what has closed since the last call and give the view as it stands now."""
        if self._view is not None and self.position == len(closed):
            return self._view
        for index in range(self.position, len(closed)):
            if closed[index].kind in self.kinds:
                self.take(self.gallery.show(closed[index]))
        self.position = len(closed)
        self._view = View(
            tuple(self.items),
            tuple(self.parts),
            tuple(self.causes),
            self.running.digest(),
            self.omitted,
            self.label,
        )
        return self._view

    def take(self, item: Shown) -> None:
        """Add an entry at the end; drop a block of old ones when it no longer fits."""
        if not item.entry.turn and is_given(item.entry):
            self.given.append(item)
        else:
            self.tokens += item.tokens
        self.hang(item)
        if self.tokens > self.budget:
            self.trim()

    def hang(self, item: Shown) -> None:
        self.items.append(item)
        self.parts.append(item.part)
        self.parts += item.media
        self.causes.append(item.address)
        self.running.update(item.digest)
        if item.entry.label != self.label:
            self.label = join_labels(self.label, item.entry.label)

    def trim(self) -> None:
        """Leave what was given and the newest entries that fill the budget to its kept share."""
        kept = self.budget * KEPT_PERCENT // 100
        items = [item for item in self.items if not is_given(item.entry)]
        first = 0
        while self.tokens > kept and first < len(items) - 1:
            self.tokens -= items[first].tokens
            first += 1
        self.omitted += first
        self.items = [*self.given, *items[first:]]
        self.parts = [part for item in self.items for part in item.parts]
        self.causes = [item.address for item in self.items]
        self.running = hashlib.sha256(b"".join([item.digest for item in self.items]))
        self.label = join_labels(*[item.entry.label for item in self.items])
