"""Hidden tests that must fail: a session that reports one as passed has been tampered with."""

import secrets
import sys
from pathlib import Path

import pytest
from _pytest import runner
from _pytest.unittest import TestCaseFunction, UnitTestCase

__all__ = ["Canaries"]


class Canaries:
    """Tests that must fail, before and after the real ones; of unittest's kind where it is used.

    They go through pytest's own protocol like any other test, but are neither counted nor shown.
    They stand in a file of their own in the folder `home`, so that they are imported and rewritten
    like any other as well.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self.first: list[pytest.Item] = []
        self.last: list[pytest.Item] = []
        self._failed: set[pytest.Item] = set()

    def plant(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Make canaries that fit the items of this session; none where there is nothing to run."""
        if not items:
            return
        module = canary_file(session, self._home)
        self.first = [function_canary(module, "test_first")]
        self.last = [function_canary(module, "test_last")]
        if any(isinstance(item, TestCaseFunction) for item in items):
            self.last.append(case_canary(module))

    def run(self, item: pytest.Item, following: pytest.Item | None) -> None:
        """Run one canary as pytest runs its items, but without showing it."""
        runner.runtestprotocol(item, log=False, nextitem=following)

    def owns(self, item: pytest.Item) -> bool:
        """Whether an item is one of these."""
        return item in self.first or item in self.last

    def saw(self, item: pytest.Item, outcome: str) -> None:
        """Note how one phase of a canary was reported."""
        if outcome == "failed":
            self._failed.add(item)

    @property
    def sound(self) -> bool:
        """Whether all were reported as failed; nothing is proved where there were none."""
        return self._failed == {*self.first, *self.last}


SOURCE = """
import unittest

def test_first():
    one = 1
    assert one == 2

def test_last():
    assert not "passed"

class TestCase(unittest.TestCase):
    def test_case(self):
        self.assertEqual(1, 2)
"""


def canary_file(session: pytest.Session, home: Path) -> pytest.Module:
    """A test file outside the workspace, imported as collecting it would."""
    folder, name = home / secrets.token_hex(8), f"test_{secrets.token_hex(4)}"
    folder.mkdir(parents=True)
    file = folder / f"{name}.py"
    file.write_text(SOURCE, encoding="utf-8")
    pytest.register_assert_rewrite(name)
    module: pytest.Module = pytest.Module.from_parent(session, path=file)
    assert module.obj is not None
    if str(folder) in sys.path:
        sys.path.remove(str(folder))
    return module


def function_canary(module: pytest.Module, name: str) -> pytest.Item:
    """A plain test function that fails."""
    callobj = getattr(module.obj, name)
    item: pytest.Item = pytest.Function.from_parent(module, name=name, callobj=callobj)
    return item


def case_canary(module: pytest.Module) -> pytest.Item:
    """A method of a unittest class that fails through unittest's own assertions."""
    parent = UnitTestCase.from_parent(module, name="TestCase", obj=module.obj.TestCase)
    callobj = module.obj.TestCase.test_case
    item: pytest.Item = TestCaseFunction.from_parent(parent, name="test_case", callobj=callobj)
    return item
