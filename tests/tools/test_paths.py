from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.errors import ToolRefused
from hive.tools.paths import CACHES, PROTECTED, cached, glob_test, hidden, matcher, parse_path

NAMES = st.text(st.characters(exclude_characters="/\\"), min_size=1, max_size=8)


def refused(text: str) -> bool:
    try:
        parse_path(text)
    except ToolRefused:
        return True
    return False


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a.py", ("a.py",)),
        ("./src//a.py", ("src", "a.py")),
        ("src/", ("src",)),
        (".", ()),
        ("", ()),
        ("...", ("...",)),
        ("ab:c", ("ab:c",)),
        (".github/x", (".github", "x")),
        ("häßlich.py", ("häßlich.py",)),
    ],
)
def test_a_relative_path_is_taken_apart(text: str, parts: tuple[str, ...]) -> None:
    assert parse_path(text) == parts


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("/etc/passwd", "is absolute"),
        ("//host/share", "is absolute"),
        ("../a", "climbs out"),
        ("a/../b", "climbs out"),
        ("..\\a", "backslashes"),
        ("a\\b", "backslashes"),
        ("C:/a", "names a drive"),
        ("c:a", "names a drive"),
        ("a\0b", "no file name should have"),
        ("a\nb", "no file name should have"),
        ("a\udcffb", "no file name should have"),
        ("a" * 5000, "longer than"),
    ],
)
def test_what_could_lead_outside_is_refused_with_a_reason(text: str, complaint: str) -> None:
    with pytest.raises(ToolRefused, match=complaint):
        parse_path(text)


@pytest.mark.parametrize(
    "name",
    [
        ".git",
        ".GIT",
        ".Git",
        ".git.",
        ".git ",
        ".git . .",
        ".g\u200dit",
        ".\u200bgit",
        "\ufeff.git",
        "\uff0egit",
        ".\uff47it",
        ".git::$INDEX_ALLOCATION",
        "GIT~1",
        ".hive",
        ".HIVE",
        ".hive-1f2e",
    ],
)
def test_version_control_and_the_record_are_hidden_under_every_spelling(name: str) -> None:
    assert hidden(name)
    assert refused(name)
    assert refused(f"a/{name}/config")


@pytest.mark.parametrize(
    "name", [".gitignore", ".github", "git", "hive", ".", "..", "...", ".hives"]
)
def test_names_that_only_look_alike_are_not(name: str) -> None:
    assert not hidden(name)


@given(st.text(max_size=30))
def test_no_parsed_path_can_leave_or_reach_what_is_hidden(text: str) -> None:
    try:
        parts = parse_path(text)
    except ToolRefused:
        return
    assert not text.startswith("/")
    for part in parts:
        assert part not in ("", ".", "..")
        assert "/" not in part
        assert "\\" not in part
        assert "\0" not in part
        part.encode()
        for form in ("NFC", "NFD", "NFKC", "NFKD"):
            spelled = unicodedata.normalize(form, part).casefold()
            assert spelled not in (".git", ".hive")


@given(st.sampled_from([".git", ".hive"]), st.data())
def test_case_and_invisible_characters_do_not_open_what_is_hidden(
    name: str, data: st.DataObject
) -> None:
    spelled = "".join(
        data.draw(st.sampled_from([c, c.upper()]))
        + data.draw(st.sampled_from(["", "\u200c", "\u200d", "\u2060", "\ufeff"]))
        for c in name
    )
    assert hidden(spelled)


PROTECTS = matcher(PROTECTED)


@pytest.mark.parametrize(
    "path",
    [
        "tests/anything.txt",
        "pkg/tests/deep/data.json",
        "test_a.py",
        "pkg/a_test.py",
        "conftest.py",
        "pkg/conftest.py",
        "CONFTEST.py",
        "pytest.ini",
        "pkg/pyproject.toml",
        "setup.cfg",
        "tox.ini",
        "sitecustomize.py",
        "x/evil.pth",
    ],
)
def test_what_decides_the_tests_is_protected(path: str) -> None:
    assert PROTECTS(tuple(path.split("/")), False)


@pytest.mark.parametrize("path", ["a.py", "tests.txt", "latest/a.py", "pkg/testing/a.py", "tests"])
def test_the_rest_is_not(path: str) -> None:
    assert not PROTECTS(tuple(path.split("/")), False)


def test_caches_are_folders_and_files() -> None:
    assert cached(("__pycache__",), folder=True)
    assert cached(("a", "__pycache__", "a.cpython-311.pyc"))
    assert cached(("a.pyc",))
    assert not cached(("__pycache__",))
    assert CACHES


def test_a_glob_with_a_slash_is_for_the_whole_path() -> None:
    match = matcher(("docs/*.md",))
    assert match(("docs", "a.md"), False)
    assert not match(("x", "docs", "a.md"), False)


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("**/*.py", "a.py", True),
        ("**/*.py", "a/b/c.py", True),
        ("**/*.py", "a.pyc", False),
        ("*.py", "a/b.py", True),
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/b/a.py", False),
        ("src/**", "src/b/a.py", True),
        ("src/**/a.py", "src/a.py", True),
        ("./a.py", "a.py", True),
        ("[ab].py", "b.py", True),
        ("[!ab].py", "b.py", False),
        ("a?.py", "ab.py", True),
        ("a.py", "aXpy", False),
        ("[", "[", True),
        ("[z-a]", "[z-a]", True),
        ("[a--b]", "[a--b]", True),
        ("[a-]", "-", True),
    ],
)
def test_globs(glob: str, path: str, fits: bool) -> None:
    assert glob_test(glob)(path) is fits


@given(st.text(max_size=12), st.text(max_size=12))
def test_no_glob_is_too_odd(glob: str, path: str) -> None:
    assert glob_test(glob)(path) in (True, False)
    assert matcher((glob,))((path,), False) in (True, False)


@given(NAMES)
def test_a_name_without_magic_fits_itself(name: str) -> None:
    if not set(name) & set("*?[") and not name.startswith("./"):
        assert glob_test(name)(name)
