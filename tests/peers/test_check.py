"""`hive models --check` of an inference engine that others wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_one_call_to_each_shows_what_the_engine_can(engine: str, tmp_path: Path) -> None:
    (tmp_path / "hive.toml").write_text(
        f'[models]\n"*" = "lab:noise"\n[providers.lab]\nbase_url = "{engine}/v1"\n'
        '[cards."lab:noise"]\ninput_usd = 1\noutput_usd = 1\n',
        "utf-8",
    )
    names = ("lab:noise", f"openai:noise@{engine}/v1", f"anthropic:noise@{engine}/v1")
    command = (sys.executable, "-m", "hive", "models", "--check", "--json", *names)
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    trials = json.loads(ran.stdout)["checked"]
    assert len(trials) == 3
    for trial in trials:
        assert trial["ok"]
        assert trial["output_tokens"] > 0
        assert trial["served_as"] == "noise"
        assert not trial["estimated"]
    assert trials[0]["cost_usd"] > 0
