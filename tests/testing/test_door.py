"""The door of hive.testing: cheap to open, and complete in a base install."""

import json
import subprocess
import sys

import pytest

import hive.testing

# What a base install lacks, and what costs too much to be loaded before anybody asks for it.
DEVELOPMENT = ("anthropic", "hypothesis", "pytest_asyncio", "xdist")
DEAR = ("httpx2", "networkx", "openai", "pytest")

PROGRAM = """
import json, sys
for name in {without}: sys.modules[name] = None
{program}
print(json.dumps(sorted(name for name, module in sys.modules.items() if module is not None)))
"""


def loaded(program: str) -> set[str]:
    """What is loaded after a program in an interpreter of its own, without what a base install
    lacks."""
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(without=DEVELOPMENT, program=program)],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(answer.stdout))


def test_opening_it_loads_neither_pytest_nor_a_provider() -> None:
    assert not loaded("import hive.testing") & set(DEAR)


def test_the_suite_comes_when_it_is_asked_for() -> None:
    program = "from hive.testing import ModelConformance, loopback"
    assert {"pytest", "hive.testing.conformance"} <= loaded(program)


def test_another_name_is_refused_as_usual() -> None:
    with pytest.raises(AttributeError, match=r"'hive.testing' has no attribute 'Nothing'"):
        _ = hive.testing.Nothing


def test_it_lists_what_it_has() -> None:
    assert dir(hive.testing) == sorted(hive.testing.__all__)
