"""What hive.toml and the environment say of models."""

from pathlib import Path

import pytest

from hive import Role, Workflow
from hive.errors import DeclarationError
from hive.models import Prices, card, configured
from hive.models.naming.configured import Given

WHOLE = """
[models]
small = "rack:qwen3"            # a tier
code-reviewer = "anthropic:claude-opus-5"
"*" = "rack:big > openai:gpt-5-mini"

[providers.rack]
base_url = "http://10.0.0.2:8000/v1"
key = "RACK_KEY"

[providers.gateway]
base_url = "https://gateway.example/v1"
speaks = "responses"

[cards."rack:qwen3"]
window = 32_000
max_output = 4096
input_usd = 0.1
output_usd = 2
cached_read_usd = 0.01
abilities = ["tools", "stream"]
tier = "small"
"""
RACK = "compatible:{}@http://10.0.0.2:8000/v1#RACK_KEY"


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HIVE_MODEL", "HIVE_MODEL_SMALL", "HIVE_MODEL_LARGE"):
        monkeypatch.delenv(variable, raising=False)


def file(folder: Path, text: str) -> Path:
    path = folder / "hive.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_file_gives_models_by_key(tmp_path: Path) -> None:
    found = configured(file(tmp_path, WHOLE))
    assert found.models == (
        Given("small", RACK.format("qwen3"), "hive.toml"),
        Given("code-reviewer", "anthropic:claude-opus-5", "hive.toml"),
        Given("*", f"{RACK.format('big')} > openai:gpt-5-mini", "hive.toml"),
    )


def test_the_nearest_file_upwards_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file(tmp_path, '[models]\nlarge = "ollama:far"')
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert configured().for_roles() == {"large": "ollama:far"}
    near = file(tmp_path / "a", '[models]\nsmall = "ollama:near"')
    assert configured().for_roles() == {"small": "ollama:near"}
    assert configured().path == near


def test_without_a_file_the_environment_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HIVE_MODEL", " ollama:any ")
    monkeypatch.setenv("HIVE_MODEL_CODE_REVIEWER", "ollama:strict")
    monkeypatch.setenv("HIVE_MODEL_SMALL", "")
    found = configured()
    assert found.path is None
    assert found.for_roles("code-reviewer") == {"code-reviewer": "ollama:strict", "*": "ollama:any"}
    assert found.for_roles("code_reviewer", "coder") == {
        "code_reviewer": "ollama:strict", "*": "ollama:any",
    }  # fmt: skip


def test_the_file_counts_for_more_than_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIVE_MODEL_SMALL", "ollama:a")
    monkeypatch.setenv("HIVE_MODEL_LARGE", "ollama:b")
    found = configured(file(tmp_path, '[models]\nsmall = "ollama:c"'))
    assert found.for_roles() == {"small": "ollama:c", "large": "ollama:b"}


def test_what_is_found_makes_a_workflow(tmp_path: Path) -> None:
    found = configured(file(tmp_path, WHOLE))
    reader, reviewer = Role("reader"), Role("code-reviewer")
    team = Workflow(
        reader >> reviewer, models=found.for_roles("reader", "code-reviewer"), cards=found.cards
    )
    assert dict(team.assigned) == {given.key: given.model for given in found.models}
    minds = team.silent_team().minds
    assert minds["small"].card.window == 32_000
    assert minds["small"].card.prices == Prices.usd("0.1", 2, "0.01")
    assert minds["code-reviewer"].card == card("anthropic:claude-opus-5")


def test_an_own_provider_is_written_out(tmp_path: Path) -> None:
    found = configured(file(tmp_path, WHOLE))
    assert found.named("gateway:gpt-5") == "openai:gpt-5@https://gateway.example/v1"
    assert found.named("rack:a/b:c > openai:x") == f"{RACK.format('a/b:c')} > openai:x"
    assert found.named("openai:x") == "openai:x"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a = ", "hive.toml is no TOML: Invalid value (at"),
        ("[model]\nsmall = 'x'", "line 1: model is not known; did you mean 'models'?"),
        ("models = 3", "line 1: models must be a table, [models]"),
        ("[models]\n\nsmall = 3", "line 3: models.small must be a text in quotes"),
        ("[models]\nsmall = 'qwen3'", "line 2: models.small cannot be used: no provider answers"),
        ("[models]\nsmall = 'opnai:x'", "did you mean openai:x?"),
        ("[models]\n'*' = 'openai:'", 'line 2: models."*" cannot be used: '),
        ("[models]\nsmall = 'rak:x'\n[providers.rack]\nbase_url='http://h'", "no provider answers"),
        ("[providers.a]\nbaseurl = 'http://h'", "line 2: providers.a.baseurl is not known; did"),
        ("[providers.a]\nspeaks = 'chat'", "line 1: providers.a needs base_url = "),
        ("[providers.a]\nbase_url = 'h'", "line 1: providers.a cannot be used: 'h', given for"),
        ("[providers.a]\nbase_url='http://h'\nspeaks='grpc'", "line 3: providers.a.speaks is"),
        ("[providers.openai]\nbase_url='http://h'", "line 1: providers.openai cannot be called"),
        ("[providers.A]\nbase_url='http://h'", "line 1: providers.A cannot be called that"),
        (
            "[providers.a]\nbase_url='http://h'\nkey='OPENAI_API_KEY'",
            "would send OPENAI_API_KEY, the key for https://api.openai.com, to another address",
        ),
        ("[cards.'openai:x']\nwindows=1", "line 2: cards.\"openai:x\".windows is not known"),
        ("[cards.'openai:x']\nwindow=0", "line 2: cards.\"openai:x\".window must be a whole"),
        ("[cards.'openai:x']\nwindow=1.5", "must be a whole number from 1 on"),
        ("[cards.'openai:x']\nwindow=true", "must be a whole number from 1 on"),
        ("[cards.'openai:x']\ninput_usd=-1\noutput_usd=1", "line 2: cards.\"openai:x\".input_usd"),
        ("[cards.'openai:x']\ninput_usd=nan\noutput_usd=1", "must be a number from 0 on"),
        ("[cards.'openai:x']\ninput_usd=1", "line 1: cards.\"openai:x\" needs both input_usd and"),
        ("[cards.'openai:x']\nabilities=['tool']", "names 'tool'; did you mean 'tools'?"),
        ("[cards.'openai:x']\nabilities='tools'", "must be a list of texts"),
        ("[cards.x]\nwindow=1", "line 1: cards.x is for no model: no provider answers to 'x'"),
        ("cards.'openai:x'.window = 'much'", "line 1: cards.\"openai:x\".window must be a whole"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        configured(file(tmp_path, text))
    assert says in str(caught.value)
    assert str(tmp_path / "hive.toml") in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "[providers.a]\nbase_url='http://h'\nkey='sk-planted'",
        "[providers.a]\nbase_url='http://h'\napi_key='sk-planted'",
        "[providers.a]\nbase_url='http://me:planted@h'",
        "[models]\nsmall='openai:x@https://h/v1#sk-planted'",
        "[models]\nsmall='openai:x#sk-planted'",
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        configured(file(tmp_path, text))
    assert "planted" not in str(caught.value)
    assert "variable" in str(caught.value) or "environment" in str(caught.value)


def test_what_is_wrong_in_the_environment_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HIVE_MODEL_SMALL", "gpt-5-mini")
    with pytest.raises(DeclarationError, match=r"HIVE_MODEL_SMALL: .*openai:gpt-5-mini"):
        configured()


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="cannot be read: No such file"):
        configured(tmp_path / "other.toml")


def test_the_file_of_the_page_on_models_holds(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "models.md").read_text("utf-8")
    text = page.partition("```toml\n")[2].partition("```")[0]
    found = configured(file(tmp_path, text))
    assert [given.key for given in found.models] == ["*", "large", "reviewer"]
    assert found.named("rack:qwen3") == "compatible:qwen3@http://rack:8000/v1#RACK_KEY"
    assert found.cards[0].name == found.named("rack:qwen3")
