"""The states of a workspace on record: taken down, folded, compared, rebuilt and made alike."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hive.board.contributions import Note
from hive.board.payload import Payload
from hive.board.records import Change, Observation, Resumed, RunStarted
from hive.errors import DeclarationError, JournalError, ToolError, WorkspaceLost
from hive.tools import FileChange, Workspace
from hive.tools.manifest import Manifest, recorded_state
from hive.tools.snapshot import Drift, apply, drift, rebuild, snapshot
from hive.tools.standing import sha256
from tests.tools.projects import folder


class Kept(dict[str, bytes]):
    """Contents by commitment, as a journal keeps them."""

    def keep(self, body: bytes) -> str:
        commitment = hashlib.sha256(b"salt" + body).hexdigest()
        self[commitment] = body
        return commitment

    def change(self, change: FileChange) -> Change:
        before, after = change.before, change.after
        return Change(
            path=change.path,
            before=sha256(before),
            after=sha256(after),
            before_content=None if before is None else self.keep(before),
            after_content=None if after is None else self.keep(after),
        )


NAMES = st.sampled_from(
    ["a", "b.py", "x y", "é", "e\u0301", "%", "%41", "a\nb", "-", "...", "\udcff\udcfe", "日本"]
)
ODD_PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
TARGETS = st.sampled_from(["a", "../a", "b.py/x y", "/nowhere", "../../outside", ".", "\udcff"])
CONTENTS = st.sampled_from([b"", b"\0\xff", b"text\n", b"#!/bin/sh\n", b"x" * 3000])


@st.composite
def trees(draw: st.DrawFn) -> list[tuple[str, bytes | str, bool]]:
    """Files and links to make: path, content or target, whether it may be executed."""
    return draw(st.lists(st.tuples(ODD_PATHS, CONTENTS | TARGETS, st.booleans()), max_size=8))


def planted(root: Path, tree: list[tuple[str, bytes | str, bool]]) -> Workspace:
    root.mkdir(parents=True)
    for path, content, executable in tree:
        place = root / path
        with suppress(OSError):  # a file stands where a folder would, or the other way round
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                place.symlink_to(content)
            elif not place.is_symlink():
                place.write_bytes(content)
                place.chmod(0o755 if executable else 0o644)
    return Workspace(root)


WRITES = st.lists(
    st.tuples(st.sampled_from(["a", "b.py", "x y", "é/a", "new/deep/f"]), CONTENTS | st.none()),
    max_size=8,
)


def changed(work: Workspace, kept: Kept, writes: list[tuple[str, bytes | None]]) -> list[Change]:
    """Write and remove files as tools do; gives what the record has of it."""
    changes = []
    for path, content in writes:
        with suppress(ToolError):  # a link or a folder, or nothing to remove
            made = work.remove(path) if content is None else work.write(path, content)
            changes.append(kept.change(made))
    return changes


@settings(max_examples=200)
@given(tree=trees(), writes=WRITES, most=st.sampled_from([0, 10, 3000, 1 << 20]))
def test_any_recorded_state_is_known_and_rebuilt(
    tmp_path_factory: pytest.TempPathFactory,
    tree: list[tuple[str, bytes | str, bool]],
    writes: list[tuple[str, bytes | None]],
    most: int,
) -> None:
    place, kept = tmp_path_factory.mktemp("state"), Kept()
    work = planted(place / "work", tree)
    original = planted(place / "original", tree)
    first = Manifest.from_bytes(snapshot(work, kept.keep, most).to_bytes())
    assert first.digest == work.digest()
    assert drift(first, work) == []
    states = [(first, first.digest)]
    changes: list[Change] = []
    for each in writes:
        changes += changed(work, kept, [each])
        states.append((first.after(changes), work.digest()))
    for state, digest in states:
        assert state.digest == digest
        assert Manifest.from_bytes(state.to_bytes()) == state
    assert drift(states[-1][0], work) == []
    for number, (state, digest) in enumerate(states):
        rebuilt = rebuild(state, place / str(number), kept.get, original)
        assert rebuilt.digest() == digest
        assert drift(state, rebuilt) == []


@given(tree=trees(), writes=WRITES, other=WRITES)
def test_recorded_changes_are_made_where_they_fit_and_nowhere_else(
    tmp_path_factory: pytest.TempPathFactory,
    tree: list[tuple[str, bytes | str, bool]],
    writes: list[tuple[str, bytes | None]],
    other: list[tuple[str, bytes | None]],
) -> None:
    place, kept = tmp_path_factory.mktemp("state"), Kept()
    work, again, third = (planted(place / name, tree) for name in ("work", "again", "third"))
    changes = changed(work, kept, writes)
    assert apply(changes, again, kept.get)
    assert again.contents() == work.contents()
    changed(third, kept, other)
    before = third.digest()
    if not apply(changes, third, kept.get):
        assert third.digest() == before


@given(data=st.data())
def test_changes_may_be_observed_in_another_order_than_they_were_made(
    data: st.DataObject,
) -> None:
    course = data.draw(st.permutations(["1", "2", "3", "4", "5", None]))
    made = [
        Change(
            path="a",
            before=before and sha256(before.encode()),
            after=after and sha256(after.encode()),
        )
        for before, after in pairwise(course)
    ]
    start = Manifest({}).after([Change(path="a", before=None, after=made[0].before)])
    state = start.after(data.draw(st.permutations(made)))
    assert [file.standing.digest for file in state.files.values()] == [
        digest for digest in [made[-1].after] if digest
    ]


def test_a_change_keeps_the_right_to_execute_and_a_new_file_has_none(tmp_path: Path) -> None:
    kept = Kept()
    work = folder(tmp_path / "work", {"run.sh": "old", "gone.sh": "old"})
    for name in ("run.sh", "gone.sh"):
        (work.root / name).chmod(0o755)
    first = snapshot(work, kept.keep)
    changes = changed(
        work, kept, [("run.sh", b"new"), ("gone.sh", None), ("gone.sh", b"old"), ("new.sh", b"")]
    )
    state = first.after(changes)
    kinds = {path: file.standing.kind for path, file in state.files.items()}
    assert kinds == {"run.sh": "run", "gone.sh": "file", "new.sh": "file"}
    assert list(state.files) == ["gone.sh", "new.sh", "run.sh"]
    assert state.digest == work.digest()


def test_drift_names_each_path_in_order(tmp_path: Path) -> None:
    files = dict.fromkeys(["a", "b", "c", "d", "e/f"], "same")
    work = folder(tmp_path / "work", files)
    (work.root / "link").symlink_to("a")
    state = snapshot(work, Kept().keep)
    (work.root / "b").write_text("other")
    (work.root / "c").chmod(0o755)
    (work.root / "d").unlink()
    (work.root / "e" / "g").write_text("")
    (work.root / "link").unlink()
    (work.root / "link").symlink_to("b")
    folder(work.root, {".git/config": "x", "__pycache__/a.pyc": "x", ".hive/undo/x": "x"})
    assert drift(state, work) == [
        Drift("b", "changed"),
        Drift("c", "changed"),
        Drift("d", "removed"),
        Drift("e/g", "added"),
        Drift("link", "changed"),
    ]


def test_the_smallest_files_are_kept_first(tmp_path: Path) -> None:
    kept = Kept()
    work = folder(
        tmp_path / "work", {"big": "x" * 100, "small": "x" * 30, "tiny": "", "b": "y" * 30}
    )
    state = snapshot(work, kept.keep, 60)
    assert {path for path, file in state.files.items() if file.content} == {"small", "tiny", "b"}
    assert sorted(map(len, kept.values())) == [0, 30, 30]
    assert snapshot(work, kept.keep, 59).files["small"].content is None


def test_files_that_nobody_has_any_more_are_named(tmp_path: Path) -> None:
    kept = Kept()
    work = folder(tmp_path / "work", {"kept": "x", "sub/big": "x" * 100, "huge": "y" * 100})
    state = snapshot(work, kept.keep, 10)
    with pytest.raises(WorkspaceLost, match="'huge', 'sub/big'") as caught:
        rebuild(state, tmp_path / "new", kept.get)
    assert caught.value.paths == ("huge", "sub/big")
    assert not (tmp_path / "new").exists()
    (work.root / "huge").write_text("z" * 100)
    (work.root / "sub" / "big").unlink()
    (tmp_path / "there").mkdir()
    with pytest.raises(WorkspaceLost, match="'huge', 'sub/big'"):
        rebuild(state, tmp_path / "there", kept.get, work)
    assert list((tmp_path / "there").iterdir()) == []
    (work.root / "huge").write_text("y" * 100)
    folder(work.root, {"sub/big": "x" * 100})
    kept.clear()
    assert rebuild(state, tmp_path / "there", kept.get, work).digest() == state.digest


def test_a_content_that_is_not_what_was_recorded_is_not_used(tmp_path: Path) -> None:
    work = folder(tmp_path / "work", {"a": "right"})
    state = snapshot(work, Kept().keep)
    with pytest.raises(WorkspaceLost):
        rebuild(state, tmp_path / "new", lambda commitment: b"wrong")
    assert rebuild(state, tmp_path / "new", lambda commitment: b"wrong", work).read("a") == b"right"


def test_a_state_is_rebuilt_only_where_nothing_stands(tmp_path: Path) -> None:
    work = folder(tmp_path / "work", {"a": "x"})
    state = snapshot(work, (kept := Kept()).keep)
    for target in (work.root, work.root / "a"):
        with pytest.raises(DeclarationError, match="is no empty folder"):
            rebuild(state, target, kept.get)
    assert rebuild(state, tmp_path / "deep" / "new", kept.get).read("a") == b"x"


def test_links_of_a_rebuilt_workspace_stay_inside_it(tmp_path: Path) -> None:
    work = folder(tmp_path / "work", {"pkg/a": "x"})
    (work.root / "absolute").symlink_to(work.root / "pkg" / "a")
    (work.root / "pkg" / "away").symlink_to("../../secret")
    rebuilt = rebuild(snapshot(work, (kept := Kept()).keep), tmp_path / "new", kept.get)
    assert (rebuilt.root / "absolute").resolve() == rebuilt.root / "pkg" / "a"
    assert os.readlink(rebuilt.root / "pkg" / "away") == str(tmp_path / "secret")


def fails(work: Workspace, kept: Kept, change: FileChange, spoil: Callable[[], object]) -> None:
    recorded = kept.change(change)
    spoil()
    digest = work.digest()
    first = kept.change(FileChange("first", None, b"new"))
    assert not apply([first, recorded], work, kept.get)
    assert work.digest() == digest, "nothing was changed"


def test_a_change_that_does_not_fit_is_not_made(tmp_path: Path) -> None:
    kept = Kept()
    work = folder(tmp_path / "work", {"a": "old", "link/x": "", "conftest.py": "old"})
    change = FileChange("a", b"old", b"new")
    fails(work, kept, change, lambda: (work.root / "a").write_text("mine"))
    fails(work, kept, change, (work.root / "a").unlink)
    fails(work, kept, FileChange("link", None, b"new"), lambda: None)
    (work.root / "a").symlink_to("link/x")
    fails(work, kept, FileChange("a", b"", b"new"), lambda: None)
    fails(work, kept, FileChange("b", None, b"lost"), kept.clear)
    protected = kept.change(FileChange("conftest.py", b"old", b"new"))
    assert apply([protected], work, kept.get), "the record may hold what no tool may write"
    assert work.read("conftest.py") == b"new"


def test_what_a_call_applies_can_be_undone(tmp_path: Path) -> None:
    kept = Kept()
    work = folder(tmp_path / "work", {"a": "old"})
    logged = work.under("run", "1/coder/0.2")
    assert apply([kept.change(FileChange("a", b"old", b"new"))], logged, kept.get)
    assert work.read("a") == b"new"
    work.undo("run", ["1/coder/0.2"])
    assert work.read("a") == b"old"


@pytest.mark.parametrize(
    "path", ["../a", "/a", "a/../../b", "", ".", "a//b", "a\0b", ".git/config", "a/.HIVE/b"]
)
def test_a_manifest_that_leads_out_of_a_workspace_is_refused(path: str) -> None:
    file = {"kind": "file", "sha256": "00" * 32}
    body = orjson.dumps({"version": 1, "files": {path: file}})
    with pytest.raises(JournalError, match="the manifest of the workspace cannot be read"):
        Manifest.from_bytes(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"version": 2, "files": {}}',
        b'{"version": 1, "files": []}',
        b'{"version": 1, "files": {"a": {"kind": "pipe", "sha256": "%s"}}}' % (b"0" * 64),
        b'{"version": 1, "files": {"a": {"kind": "file", "sha256": "00"}}}',
        b'{"version": 1, "files": {"a": {"kind": "file", "sha256": 3}}}',
        b'{"version": 1, "files": {"a": {"kind": "link", "sha256": "%s"}}}' % (b"0" * 64),
        b'{"version": 1, "files": {"a": {"kind": "file", "sha256": "%s", "content": "x"}}}'
        % (b"0" * 64),
        b'{"version": 1, "files": {"a": {"kind": "file", "sha256": "%s"},'
        b' "a/b": {"kind": "file", "sha256": "%s"}}}' % (b"0" * 64, b"0" * 64),
    ],
)
def test_what_is_no_manifest_is_refused(body: bytes) -> None:
    with pytest.raises(JournalError, match="the manifest of the workspace cannot be read"):
        Manifest.from_bytes(body)


def observation(*changes: Change) -> Observation:
    return Observation(id="1", tool="write_file", text="", changes=changes)


def started(snapshot: str | None) -> RunStarted:
    return RunStarted(
        run="r", hive="1", schema_version=1, workflow="w", fingerprint="", vocabulary="",
        snapshot=snapshot,
    )  # fmt: skip


def test_the_state_after_any_entry_follows_from_the_record(tmp_path: Path) -> None:
    kept = Kept()
    work = folder(tmp_path / "work", {"a": "1", "b": "1"})
    payloads: list[Payload] = [started(kept.keep(snapshot(work, kept.keep).to_bytes()))]
    digests = [work.digest()]

    def post(payload: Payload) -> None:
        payloads.append(payload)
        digests.append(work.digest())

    post(Note(text="nothing changed"))
    post(observation(*changed(work, kept, [("a", b"2"), ("c", b"1")])))
    post(Resumed(changes=tuple(changed(work, kept, [("b", None)]))))
    (work.root / "c").chmod(0o755)
    (work.root / "d").symlink_to("a")
    found = snapshot(work, kept.keep)
    post(Resumed(snapshot=kept.keep(found.to_bytes()), changes=found.changes_to(found)))
    post(observation(*changed(work, kept, [("c", b"3")])))
    for number, digest in enumerate(digests, 1):
        state = recorded_state(payloads[:number], kept.get)
        assert state is not None
        assert state.digest == digest
    assert recorded_state([started(None), *payloads[1:4]], kept.get) is None
    kept.clear()
    with pytest.raises(JournalError, match="is not in the journal any more"):
        recorded_state(payloads, kept.get)


def test_two_states_differ_in_the_changes_between_them(tmp_path: Path) -> None:
    kept = Kept()
    work = folder(tmp_path / "work", {"a": "1", "b": "1", "c": "1", "same": "1"})
    before = snapshot(work, kept.keep)
    work.write("a", b"2")
    work.remove("b")
    work.write("100%", b"1")
    (work.root / "\udcff").write_text("1")
    (work.root / "c").chmod(0o755)
    (work.root / "link").symlink_to("a")
    one, two = sha256(b"1"), sha256(b"2")
    changes = before.changes_to(snapshot(work, kept.keep))
    assert [(change.path, change.before, change.after) for change in changes] == [
        ("100%", None, one),
        ("a", one, two),
        ("b", one, None),
        ("c", one, one),
        ("link", None, None),
        (r"\xff", None, one),
    ]
    assert [kept[change.after_content] for change in changes if change.after_content] == [
        b"1",
        b"2",
        b"1",
        b"1",
    ]
