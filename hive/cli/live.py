"""The live display: who acts with which model and why, what was done last, and what it has used.

It is drawn on a thread of its own from a Scene, so that neither drawing nor a slow terminal can
hold the run up.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from hive.board.entry import Entry
from hive.cli.scene import Acting, Scene
from hive.cli.telling import Told
from hive.cli.words import counted, duration, money, number, shortened
from hive.control.budgets.budget import Budget

__all__ = ["LiveFace", "picture"]

FRAMES_PER_SECOND = 8
HUES = ("cyan", "magenta", "blue", "bright_cyan", "bright_magenta", "bright_blue")
TONES = {"good": "green", "bad": "red", "open": "yellow", "quiet": "", "plain": "bold"}
MARKS = {"good": "✓", "bad": "✗", "open": "…", "quiet": "·", "plain": "+"}


class LiveFace:
    """Shows a run in a terminal, drawn anew a few times a second."""

    def __init__(self, scene: Scene, team: tuple[str, ...], budget: Budget, title: str) -> None:
        self.scene = scene
        self._drawing = Drawing(scene, team, budget, title)
        self._live = Live(
            get_renderable=self._drawing.frame,
            console=Console(file=sys.stdout),
            refresh_per_second=FRAMES_PER_SECOND,
            transient=True,
        )

    def take(self, entry: Entry, past: bool = False) -> None:
        """Fold an entry into what is drawn next."""
        self.scene.take(entry)

    def hear(self, strand: str, text: str) -> None:
        """Fold a piece of a model's words into what is drawn next."""
        self.scene.hear(strand, text)

    @contextmanager
    def asking(self, question: str) -> Iterator[None]:
        """Leave the terminal to a question and its answer."""
        self._live.stop()
        self._live.console.print(question, end="", style="bold", markup=False, highlight=False)
        try:
            yield
        finally:
            self._live.start(refresh=True)

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.scene.over = monotonic()
        self._live.stop()


class Drawing:
    """What stays the same from frame to frame: hues of the roles, spinners, the caps."""

    def __init__(self, scene: Scene, team: tuple[str, ...], budget: Budget, title: str) -> None:
        self.scene = scene
        self.title = title
        self.budget = budget
        self.hues = {role: HUES[place % len(HUES)] for place, role in enumerate(team)}
        self.width = min(max((len(role) for role in team), default=4), 16)
        self.spinner = Spinner("dots", style="bold")

    def frame(self) -> RenderableType:
        """The whole picture, at this moment."""
        return picture(self)

    def hue(self, role: str) -> str:
        """The colour a role has throughout."""
        return self.hues.get(role, "white")


def picture(drawing: Drawing) -> RenderableType:
    """The display: goal, who acts, what was done, what it used."""
    scene = drawing.scene
    parts: list[RenderableType] = [heading(drawing)]
    if scene.decision is not None:
        parts += [why(scene), Text()]
    parts.append(acting(drawing))
    said = scene.saying[1]
    if said:
        words = Text(f"“{shortened(said[::-1], 160)[::-1]}”", style="italic dim", overflow="fold")
        parts.append(indented(words))
    if scene.recent:
        parts += [Text(), done(drawing)]
    parts += [Rule(style="dim"), meters(drawing)]
    return Group(*parts)


def heading(drawing: Drawing) -> RenderableType:
    title = Text.assemble((f"{drawing.title} ", "bold"), overflow="ellipsis", no_wrap=True)
    title.append(shortened(drawing.scene.goal, 200))
    return Group(title, Rule(style="dim"))


def why(scene: Scene) -> RenderableType:
    """The decision of the turn, with its reason."""
    decision = scene.decision
    assert decision is not None
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"turn {scene.turn}", style="bold")
    text.append(f"  {decision.complexity.level} work", style="")
    chosen = decision.candidates[decision.chosen] if decision.candidates else None
    if chosen is not None and chosen.probability < 1:
        text.append(f"  p={chosen.probability:.2f}", style="")
    text.append(f"  {decision.reason}", style="dim")
    return text


def acting(drawing: Drawing) -> RenderableType:
    """A row for each strand at work."""
    rows = Table.grid(padding=(0, 1), expand=True)
    rows.add_column(width=1)
    rows.add_column(no_wrap=True, min_width=drawing.width)
    rows.add_column(no_wrap=True, style="dim", overflow="ellipsis")
    rows.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    rows.add_column(justify="right", no_wrap=True, style="dim")
    now = monotonic()
    for strand in tuple(drawing.scene.acting.values()):
        mark: RenderableType = Text("✓", style="green") if strand.done else drawing.spinner
        since = "" if strand.done else duration(int((now - strand.since) * 1_000_000))
        rows.add_row(
            mark,
            Text(strand.strand, style=f"bold {drawing.hue(strand.role)}"),
            model_of(strand),
            Text("done" if strand.done else strand.doing),
            since,
        )
    if not drawing.scene.acting:
        rows.add_row(drawing.spinner, Text("beginning"), "", "", "")
    return rows


def model_of(strand: Acting) -> str:
    return f"{strand.model} ({strand.tier})" if strand.tier else strand.model


def done(drawing: Drawing) -> RenderableType:
    """The last things that happened, the newest at the bottom."""
    rows = Table.grid(padding=(0, 1), expand=True)
    rows.add_column(width=1)
    rows.add_column(no_wrap=True, min_width=drawing.width)
    rows.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for told in drawing.scene.recent:
        rows.add_row(
            Text(MARKS[told.tone], style=TONES[told.tone] or "dim"),
            Text(told.who, style=drawing.hue(told.who)),
            line(told),
        )
    return rows


def line(told: Told) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(told.what, style=TONES[told.tone])
    if told.result:
        text.append(f"  {told.result}", style="dim")
    return text


def meters(drawing: Drawing) -> RenderableType:
    """What the run has used, against its caps where it has some."""
    scene, budget = drawing.scene, drawing.budget
    said = [
        against(counted(scene.turn, "turn"), budget.turns),
        f"{counted(scene.calls, 'model call')}, {counted(scene.tools, 'tool call')}",
        against(f"{number(scene.tokens)} tokens", budget.tokens),
        against(money(scene.spent), None if budget.nano is None else money(budget.nano)),
        against(
            duration(scene.elapsed), None if budget.seconds is None else f"{budget.seconds:g} s"
        ),
    ]
    if scene.units:
        said.insert(3, f"{number(scene.units)} units of work")
    if scene.changed:
        said.append(f"{counted(len(scene.changed), 'file')} changed")
    text = Text(" · ".join(said), no_wrap=True, overflow="ellipsis")
    if not budget.nano:
        return text
    row = Table.grid(padding=(0, 2))
    row.add_row(text, ProgressBar(total=budget.nano, completed=scene.spent, width=16))
    return row


def against(used: str, cap: object) -> str:
    """`12 turns of 40`."""
    return used if cap is None else f"{used} of {cap}"


def indented(text: Text) -> RenderableType:
    row = Table.grid(padding=(0, 1))
    row.add_row(" ", text)
    return row
