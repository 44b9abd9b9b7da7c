"""Which lines of the workspace each test executes, by coverage's tracer."""

import os
from typing import Any

__all__ = ["LineRecorder"]


class LineRecorder:
    """Collects lines under one name at a time; "" holds what runs while modules are imported."""

    def __init__(self, root: str) -> None:
        import coverage

        self._root = root
        self._coverage = coverage.Coverage(
            data_file=None,
            config_file=False,
            include=[os.path.join(root, "*")],
            messages=False,
            check_preimported=False,
        )
        self._coverage.set_option("run:core", "ctrace")

    def start(self) -> None:
        """Begin to record."""
        self._coverage.start()

    def enter(self, test: str) -> None:
        """Record under the name of a test."""
        self._coverage.switch_context(test)
        self._test = test

    def leave(self) -> dict[str, list[int]]:
        """Path to the lines that the test has executed so far."""
        lines = self._executed(self._test)
        self._coverage.switch_context("")
        return lines

    def imported(self) -> dict[str, list[int]]:
        """Path to the lines that ran outside any test, so far."""
        return self._executed("")

    def _executed(self, name: str) -> dict[str, list[int]]:
        data: Any = self._coverage.get_data()
        data.set_query_context(name)
        return {
            os.path.relpath(path, self._root): sorted(data.lines(path) or ())
            for path in data.measured_files()
        }
