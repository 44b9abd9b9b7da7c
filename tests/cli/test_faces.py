"""What is shown of a run, from its entries alone; and that showing never holds a run up."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from threading import Event

import pytest
from rich.console import Console

from hive import Budget
from hive.board.contributions import UserMessage
from hive.board.entry import Address, Entry
from hive.board.records import Approval, Paused, Resumed
from hive.cli.faces import PlainFace, line_of
from hive.cli.live import Drawing, picture
from hive.cli.results import result_of
from hive.cli.scene import Scene
from hive.cli.telling import tell
from hive.cli.words import REASONS, arguments_of, duration, ended, gist, money, shortened
from hive.message import Text
from hive.models import FunctionModel
from hive.run import Result
from tests.cli import sample_team


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("work")
    return sample_team.scribes.run_sync("a short draft", workspace=folder)


def drawn(scene: Scene, budget: Budget | None = None, width: int = 100) -> str:
    """The live display as plain text."""
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    team = ("writer", "critic")
    console.print(picture(Drawing(scene, team, budget or Budget(), "scribes")))
    out = console.file
    assert isinstance(out, io.StringIO)
    return out.getvalue()


def shown_until(result: Result, kind: str, number: int) -> Scene:
    """The scene right after the n-th entry of a kind."""
    scene = Scene("a short draft")
    seen = 0
    for entry in result.entries:
        scene.take(entry)
        seen += entry.kind == kind
        if seen == number:
            break
    return scene


def test_before_anything_has_happened() -> None:
    assert "beginning" in drawn(Scene("a short draft"))


def test_a_model_is_asked(result: Result) -> None:
    text = drawn(shown_until(result, "Request", 1))
    assert "scribes a short draft" in text
    assert "turn 1  trivial work  the only move allowed: start → writer" in text
    assert "program:drafts" in text
    assert "thinking" in text


def test_a_tool_is_called(result: Result) -> None:
    text = drawn(shown_until(result, "ToolCall", 1))
    assert text.count("write_file(path='draft.txt', text=(2 lines))") == 2
    assert "1 model call, 1 tool call" in text


def test_a_result_takes_the_place_of_its_call(result: Result) -> None:
    scene = shown_until(result, "Observation", 1)
    assert len(scene.recent) == 1
    assert "changed draft.txt" in drawn(scene)
    assert "1 file changed" in drawn(scene)


def test_what_was_used_stands_against_its_caps(result: Result) -> None:
    scene = shown_until(result, "Termination", 1)
    text = drawn(scene, Budget(usd=Decimal("0.5"), tokens=1000, turns=9, seconds=60), width=140)
    assert "6 turns of 9" in text
    assert "360 tokens of 1000" in text
    assert "$0 of $0.5" in text
    assert "of 60 s" in text
    assert "finished: the goal is reached" in text


def test_the_last_words_of_a_model_are_shown(result: Result) -> None:
    scene = shown_until(result, "Request", 1)
    for piece in ("Once upon", " a time", " there was a draft"):
        scene.hear("writer", piece)
    assert "“Once upon a time there was a draft”" in drawn(scene)
    scene.hear("writer", " x" * 300)
    assert "Once" not in drawn(scene)


def test_only_the_last_lines_are_kept(tmp_path: Path) -> None:
    scene = Scene("a short draft")
    told = [
        scene.take(entry)
        for entry in sample_team.stubborn.run_sync("a short draft", workspace=tmp_path).entries
    ]
    assert len({line.address for line in told if line}) == 13
    assert len(scene.recent) == 12
    assert scene.recent[-1] == told[-2]


class Stuck(io.StringIO):
    """A reader who does not read until he is let."""

    def __init__(self) -> None:
        super().__init__()
        self.let = Event()
        self.reached = Event()

    def write(self, text: str) -> int:
        self.reached.set()
        self.let.wait(30)
        return super().write(text)


def test_a_reader_who_does_not_read_holds_nothing_up(result: Result) -> None:
    out = Stuck()
    with PlainFace("a short draft", out) as face:
        for entry in result.entries:
            face.take(entry)
        assert out.reached.wait(30)
        assert out.getvalue() == "", "the whole run went by before the first line was written"
        out.let.set()
    assert "turn 6" in out.getvalue()


def test_deltas_reach_the_display() -> None:
    """Pieces of a model's answer are heard while it speaks."""
    heard: list[tuple[str, str]] = []

    async def main() -> None:
        model = FunctionModel(lambda request: [Text(text="one"), Text(text="two")], "speaker")
        team = sample_team.scored.with_(graph=sample_team.napping.graph, model=model)
        async with team.start("speak") as run:
            run.listen(lambda strand, text: heard.append((strand, text)))

    import anyio

    anyio.run(main)
    assert heard[:2] == [("guest", "one"), ("guest", "two")]


@pytest.mark.parametrize(
    ("nano", "said"),
    [(0, "$0"), (1, "under $0.0001"), (4_200_000, "$0.0042"), (1_250_000_000, "$1.25")],
)
def test_money(nano: int, said: str) -> None:
    assert money(nano) == said


@pytest.mark.parametrize(
    ("microseconds", "said"),
    [
        (0, "under 1 ms"), (20_000, "20 ms"), (400_000, "0.4 s"), (12_000_000, "12 s"),
        (185_000_000, "3:05"), (3_723_000_000, "1:02:03"),
    ],
)  # fmt: skip
def test_durations(microseconds: int, said: str) -> None:
    assert duration(microseconds) == said


def test_every_reason_has_words() -> None:
    from typing import get_args

    from hive.board.records import Reason

    assert set(REASONS) == set(get_args(Reason))
    assert ended("stopped", "stalled") == "stopped: no progress"
    assert ended("stopped", "turns_exhausted") == "stopped: out of turns"


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("Note", {"text": "hello\nworld"}, "hello world"),
        ("Score", {"points": 7, "of": 10}, "points=7, of=10"),
        ("Task", {"strange": 1}, "strange=1"),
        ("Task", {"id": "B", "title": "sow", "needs": ["A"]}, "B: sow (after A)"),
        (
            "TaskChange",
            {"id": "B", "change": "skipped", "reason": "it needs A", "task": None},
            "B skipped: it needs A",
        ),
        ("Finding", {"claim": "it is so", "evidence": []}, "it is so"),
        ("Odd", [1, 2], "[1,2]"),
        ("Verdict", {"ruling": "revise", "reasons": ["it leaks"]}, "revise: it leaks"),
        (
            "Verdict",
            {"ruling": "accept", "reasons": ["so"], "dissent": ["critic: no"]},
            "accept: so · dissent: critic: no",
        ),
        (
            "Verdict",
            {"ruling": "accept", "reasons": ["so"], "chosen": "1/a/0.2"},
            "accept [1/a/0.2]: so",
        ),
        ("Vote", {"reason": "so", "choice": "a", "ranking": [], "abstain": False}, "for a: so"),
        ("Vote", {"reason": "so", "choice": "", "ranking": ["a", "b"]}, "for a > b: so"),
        ("Vote", {"reason": "so", "choice": "", "ranking": [], "abstain": True}, "for nobody: so"),
        ("Critique", {"of": "1/a/0.2", "points": ["one", "two"]}, "of 1/a/0.2: one; two"),
    ],
)
def test_the_gist_of_any_kind(kind: str, data: object, said: str) -> None:
    assert gist(kind, data) == said


@pytest.mark.parametrize(
    ("tool", "text", "said"),
    [
        ("any", "plain words", "plain words"),
        ("any", '{"a": 1}', "a=1"),
        ("any", "{broken", "{broken"),
        ("read_file", '{"start": 1, "end": 3, "total": 9}', "lines 1 to 3 of 9"),
        ("read_file", '{"unlike": true}', "unlike=true"),
        ("search", '{"matches": [], "more": 0}', "0 matches"),
        ("shell", '{"code": 2, "stdout": "", "stderr": "no"}', "exit 2: no"),
    ],
)
def test_results_of_tools(tool: str, text: str, said: str) -> None:
    assert result_of(tool, text) == said


def test_long_arguments_are_shortened() -> None:
    said = arguments_of({"text": "a\nb\nc\n", "items": [{"x": 1}] * 30, "word": "x" * 200}, 200)
    assert said == f"text=(3 lines), items=[30], word='{'x' * 47}…'"
    assert shortened("a " * 100, 9) == "a a a a…"


def test_entries_are_values(result: Result) -> None:
    assert all(isinstance(entry, Entry) for entry in result.entries)


def test_what_is_said_to_a_run_is_told_as_it_comes() -> None:
    """Messages, pauses and answers, with who said them."""
    at = Address(1, "", (9,))
    said = {
        "user:ann says: go left": UserMessage(text="go left", item=1),
        "coordinator paused: by user:ann · lunch": Paused(reason="lunch", by="user:ann", item=2),
        "coordinator resumed: by user:ann · after 12 s": Resumed(
            by="user:ann", item=3, idle=12_000_000
        ),
        "coordinator ✓ allowed: the checkpoint, by user:ann": Approval(
            decision="allow", by="user:ann"
        ),
    }
    for line, payload in said.items():
        entry = Entry(
            0, at, 0, "coordinator", "user:ann", "trusted", (), 0, 1, payload, payload.body()
        )
        told = tell(entry, {})
        assert told is not None
        assert f"{told.who} {line_of(told)}" == line
