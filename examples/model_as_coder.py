"""A language model in the coder's chair, beside colleagues that are programs.

Without arguments this takes openai:gpt-5-mini; name another model on the command line:

    python examples/model_as_coder.py anthropic:claude-haiku-4-5
    python examples/model_as_coder.py compatible:qwen3-coder@http://127.0.0.1:8000/v1

A fresh copy of the demo's project is repaired. Nothing else changes against `hive demo`: the coder
has the same instructions, the same tools and the same judges as the program that sits there
otherwise. At the shell it is `hive demo --model coder=openai:gpt-5-mini`.
"""
# needs a key

import os
import sys
import tempfile
from pathlib import Path

from hive import Budget
from hive.models import PROVIDERS
from roles.demo import copy_project
from roles.team import repair

GOAL = "Find out why the tests of this project fail, and repair its sources until they pass."
MOST_USD = 1


def key_missing(model: str) -> str | None:
    """The environment variable that should hold the key, where it holds none."""
    provider = PROVIDERS.get(model.partition(":")[0])
    if provider is None or provider.keyless or os.environ.get(provider.key):
        return None
    return provider.key


def main(model: str) -> int:
    """Run the team with `model` as its coder; 0 when the project is repaired."""
    missing = key_missing(model)
    if missing is not None:
        print(f"{model} needs a key: set {missing} and run this again.")
        print("Without a key, `hive demo` runs the same team with a program as its coder.")
        return 1
    team = repair.with_models(coder=model)
    if not PROVIDERS[model.partition(":")[0]].keyless:  # a server of your own has no list price
        team = team.with_(budget=Budget(usd=MOST_USD))
    with tempfile.TemporaryDirectory() as folder:
        project = copy_project(Path(folder) / "project")
        result = team.run_sync(GOAL, workspace=project, journal="sqlite:.hive/journal.db")
    print(result.text)
    print(f"\n{result.outcome}: {result.message}; ${result.cost_usd}, {result.tokens} tokens")
    print(f"hive show {result.run}")
    return 0 if result.finished else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "openai:gpt-5-mini"))
