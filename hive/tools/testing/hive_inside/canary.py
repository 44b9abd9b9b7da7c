"""Hidden tests that must fail: a session that reports one as passed has been tampered with."""

import secrets
import unittest

import pytest
from _pytest import runner
from _pytest.unittest import TestCaseFunction, UnitTestCase

__all__ = ["Canaries"]


class Canaries:
    """Tests that must fail, before and after the real ones; of unittest's kind where it is used.

    They go through pytest's own protocol like any other test, but are neither counted nor shown.
    """

    def __init__(self) -> None:
        self.first: list[pytest.Item] = []
        self.last: list[pytest.Item] = []
        self._failed: set[pytest.Item] = set()

    def plant(self, items: list[pytest.Item]) -> None:
        """Make canaries that fit the items of this session."""
        modules = [item.getparent(pytest.Module) for item in items]
        homes = [module for module in modules if module is not None]
        if homes:
            self.first = [function_canary(homes[0])]
            self.last = [function_canary(homes[-1])]
        cases = [item for item in items if isinstance(item, TestCaseFunction)]
        module = cases[-1].getparent(pytest.Module) if cases else None
        if module is not None:
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


def function_canary(module: pytest.Module) -> pytest.Item:
    """A plain test function that fails."""

    def canary() -> None:
        raise AssertionError

    item: pytest.Item = pytest.Function.from_parent(module, name=name(), callobj=canary)
    return item


def case_canary(module: pytest.Module) -> pytest.Item:
    """A method of a unittest class that fails through unittest's own assertions."""

    class Case(unittest.TestCase):
        def runTest(self) -> None:
            self.assertEqual(0, 1)  # noqa: PT009 - unittest's own way is what is watched

    parent = UnitTestCase.from_parent(module, name=f"Test{secrets.token_hex(4)}", obj=Case)
    item: pytest.Item = TestCaseFunction.from_parent(parent, name="runTest", callobj=Case.runTest)
    return item


def name() -> str:
    return f"test_{secrets.token_hex(4)}"
