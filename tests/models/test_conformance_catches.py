"""The conformance suite can fail: every scenario catches a backend that breaks what it is about."""

import importlib
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from hive.errors import (
    ContextOverflow,
    ModelError,
    RateLimited,
    RequestRefused,
    ServerFailed,
)
from hive.message import Media, Thinking
from hive.models import Model, resolve
from hive.models.limits import endpoint
from hive.testing import ModelConformance
from tests.models import mutants
from tests.models.asking import KEY
from tests.models.mutants import Change, Mutant

CHAT, MESSAGES = "openai-chat:gpt-5-mini", "anthropic:claude-opus-5"


class Tried(ModelConformance):
    """The suite over one backend with a change in it."""

    def __init__(self, change: Change | None, name: str = CHAT) -> None:
        self.change = change
        self.name = name
        self.lacks = {"filter": "so"} if name == MESSAGES else {"pause": "so"}  # type: ignore[misc]

    def model(self, base_url: str) -> Model:
        model = resolve(self.name, base_url=base_url, key=KEY)
        return model if self.change is None else Mutant(model, self.change)


def scenarios() -> dict[str, list[dict[str, Any]]]:
    """Every test of the suite, with each set of values that it is run with."""
    found = {}
    for name in dir(ModelConformance):
        if name.startswith("test_"):
            marks = getattr(getattr(ModelConformance, name), "pytestmark", [])
            axes = [list(valued(*mark.args)) for mark in marks if mark.name == "parametrize"]
            found[name.removeprefix("test_")] = [
                {n: v for one in values for n, v in one.items()}
                for values in itertools.product(*axes)
            ]
    return found


def valued(names: str | tuple[str, ...], values: list[Any]) -> Iterator[dict[str, Any]]:
    for value in values:
        yield {names: value} if isinstance(names, str) else dict(zip(names, value, strict=True))


SCENARIOS = scenarios()


def fails(tried: Tried, name: str, given: dict[str, Any]) -> bool:
    endpoint.KNOWN.clear()  # ports are used again
    try:
        getattr(tried, f"test_{name}")(**given)
    except pytest.skip.Exception:
        return False
    except (Exception, pytest.fail.Exception):  # noqa: BLE001  # whatever a test fails with
        return True
    return False


def failing(tried: Tried, names: Iterable[str]) -> set[str]:
    """Those that fail with the last of their values, which are streamed."""
    return {name for name in names if fails(tried, name, SCENARIOS[name][-1])}


def again(error: ModelError, kind: type[ModelError]) -> ModelError:
    return kind(str(error), error.attempts, error.retry_after)


def hurried(error: ModelError) -> ModelError:
    return type(error)(str(error), error.attempts)


m = mutants
STREAM_READS = {
    "characters_and_events_cut_anywhere",
    "lines_that_end_in_crlf",
    "lines_that_end_in_cr",
    "crlf_cut_in_half",
    "comments_between_events_and_data_in_two_lines",
    "an_event_that_nobody_has_heard_of",
}
MUTANTS: dict[str, tuple[Change, set[str]]] = {
    "takes a line separator for a line end": (m.without_line_separators, {"a_plain_answer"}),
    "loses a piece": (
        m.pieces(lambda piece: "" if "\u2028" in piece else piece),
        {"the_pieces_that_are_heard_make_up_the_text"},
    ),
    "flattens arguments": (
        m.uses(m.flattened),
        {"a_tool_call"},
    ),
    "joins parallel calls": (
        m.parts(lambda held: held[:3]),
        {"parallel_tool_calls_are_told_apart"},
    ),
    "takes broken arguments for none": (
        m.uses(lambda use: use.model_copy(update={"malformed": None})),
        {"arguments_that_are_no_json_come_back_as_they_came"},
    ),
    "leaves fences around JSON": (m.fences, {"an_answer_under_a_schema_is_its_json"}),
    "puts thinking last": (
        m.parts(lambda held: sorted(held, key=lambda part: isinstance(part, Thinking))),
        {"thinking_comes_before_what_was_thought_of", "thinking_is_sent_back_unchanged"},
    ),
    "drops the usage": (
        m.usage(lambda used: {"input": 0, "output": 0}),
        {
            "the_tokens_used_are_reported",
            "cached_tokens_are_told_and_counted_as_input",
            "tokens_of_reasoning_are_told_and_counted_as_output",
            *STREAM_READS,
        },
    ),
    "does not count cached input": (
        m.usage(lambda used: {"input": used.input - used.cached_read - used.cache_write}),
        {"cached_tokens_are_told_and_counted_as_input"},
    ),
    "does not tell of reasoning": (
        m.usage(lambda used: {"reasoning": 0}),
        {"tokens_of_reasoning_are_told_and_counted_as_output"},
    ),
    "takes a cut answer for whole": (m.deaf_to("length"), {"an_answer_at_its_limit_says_so"}),
    "takes a refusal for an answer": (m.deaf_to("refusal"), {"a_refusal_says_so"}),
    "takes a filtered answer for whole": (
        m.deaf_to("filter"),
        {"an_answer_that_was_filtered_says_so"},
    ),
    "sends no instructions": (
        m.asks(lambda request: request._replace(system="")),
        {"the_whole_request_is_sent"},
    ),
    "does not say what tools are for": (
        m.asks(m.undescribed),
        {"tools_are_offered_with_what_they_are_for"},
    ),
    "gives a result to another call": (
        m.asks(m.results_mixed_up),
        {"the_results_of_tools_are_sent_in_order"},
    ),
    "does not show malformed arguments": (
        m.history(m.without_malformed),
        {"malformed_arguments_can_be_shown_to_the_model_again"},
    ),
    "sends no schema": (
        m.asks(lambda request: request._replace(output=None)),
        {"the_schema_of_an_answer_is_sent"},
    ),
    "rewrites thinking": (
        m.history(m.rewrites_thinking),
        {"thinking_is_sent_back_unchanged"},
    ),
    "sends a stranger's thinking": (
        m.history(m.claims_thinking),
        {"thinking_of_another_provider_is_left_out_and_named"},
    ),
    "shows no images": (
        m.history(lambda part: None if isinstance(part, Media) and part.is_image else part),
        {"an_image_is_shown"},
    ),
    "shows no files": (
        m.history(lambda part: part if not isinstance(part, Media) or part.is_image else None),
        {"a_file_is_shown"},
    ),
    "shows no images of tools": (
        m.history(m.without_media),
        {"an_image_that_a_tool_returned_is_shown"},
    ),
    "takes a full window for the end of an answer": (
        m.deaf_to("overflow"),
        {"an_answer_at_the_end_of_the_window_says_so"},
    ),
    "forgets nothing": (m.forgets_nothing, {"nothing_is_remembered_between_two_calls"}),
    "keeps one call at a time": (m.one_call_at_a_time, {"many_calls_at_once_are_not_mixed_up"}),
    "tries again unasked": (
        m.tries_again(asked=False),
        {"no_further_attempt_is_made_unasked", "every_further_attempt_was_admitted"},
    ),
    "tries again whatever the budget says": (
        m.tries_again(asked=True),
        {"no_further_attempt_is_made_unasked"},
    ),
    "loses how long to wait": (m.fails(RateLimited, "", hurried), {"asked_to_slow_down"}),
    "loses how long a failed server asks to wait": (
        m.fails(ServerFailed, "", hurried),
        {"a_server_that_failed_may_say_how_long_to_wait"},
    ),
    "blames the request for the server's failure": (
        m.fails(ServerFailed, "oops", lambda error: again(error, RequestRefused)),
        {"the_server_failed"},
    ),
    "takes an overflow for any refusal": (
        m.fails(ContextOverflow, "", lambda error: again(error, RequestRefused)),
        {"a_request_that_is_too_long"},
    ),
    "does not say why it was refused": (
        m.fails(RequestRefused, "not like this", lambda error: RequestRefused("refused")),
        {"a_request_that_is_refused"},
    ),
    "shows the key": (
        m.fails(RequestRefused, "Incorrect API key", lambda error: RequestRefused(f"no: {KEY}")),
        {"no_key_is_in_an_error"},
    ),
}
for words, names in {
    "attempts failed": {"no_server_answers_at_the_address"},
    "Server disconnected": {"the_connection_is_closed_unanswered"},
    "peer closed connection": {"a_connection_closed_in_mid_stream"},
    r"[1-9]\d* bytes, application/json": {"an_answer_that_breaks_off"},
    r"\(0 bytes, application/json": {"an_empty_body"},
    "text/html": {"a_page_for_people"},
    "text/plain": {"something_else_than_a_stream"},
    r"unexpected shape|\) is no JSON object": {"an_answer_of_another_shape"},
    "a streamed event": {"an_event_that_is_no_json"},
    "it went wrong": {"an_error_within_a_stream_of_status_200"},
    "without its closing event": {"a_stream_without_its_end", "a_stream_of_nothing"},
}.items():
    MUTANTS[f"takes for an answer: {words}"] = (m.takes_for_an_answer(words), names)
MUTANTS["takes for an answer: reset"] = (
    m.takes_for_an_answer("ReadError", streamed=False),
    {"the_connection_is_reset_in_mid_answer"},
)
MUTANTS["takes for an answer: reset in a stream"] = (
    m.takes_for_an_answer("ReadError", plain=False),
    {"a_connection_reset_in_mid_stream"},
)

HANGING: dict[str, tuple[Change, set[str]]] = {
    "cannot be cancelled": (
        m.cannot_be_cancelled,
        {
            "cancelling_a_call_that_waits_closes_its_connection",
            "cancelling_a_call_in_mid_stream_closes_its_connection",
            "a_deadline_ends_a_call_that_hangs",
        },
    ),
    "takes cancelling for a failure": (
        m.swallows_cancellation,
        {
            "cancelling_a_call_that_waits_closes_its_connection",
            "cancelling_a_call_in_mid_stream_closes_its_connection",
            "a_deadline_ends_a_call_that_hangs",
        },
    ),
    "hands over the pieces when all have come": (
        m.tells_all_at_once,
        {
            "a_slow_drip_is_heard_as_it_falls",
            "cancelling_a_call_in_mid_stream_closes_its_connection",
        },
    ),
}
"""Those that a scenario would wait for."""


def decoded_by_chunk(decoder: Any, chunk: bytes) -> Any:
    return FEED(decoder, chunk.decode("utf-8", "replace").encode())


def without_holding_back(decoder: Any, chunk: bytes) -> Any:
    *lines, decoder.rest = EVENTS.LINE_END.split(decoder.rest + chunk)
    return [event for line in lines if (event := decoder.line(line)) is not None]


def without_comments(decoder: Any, raw: bytes) -> Any:
    if raw.startswith(b":"):
        raise ValueError("no field begins with a colon")
    return LINE(decoder, raw)


def with_known_names(decoder: Any) -> Any:
    if decoder.name not in ("", "error"):
        raise ValueError(f"nobody has heard of {decoder.name}")
    return DISPATCH(decoder)


EVENTS: Any = importlib.import_module("hive.models.events")
FEED, LINE, DISPATCH = EVENTS.Decoder.feed, EVENTS.Decoder.line, EVENTS.Decoder.dispatch
DECODERS: dict[str, tuple[Any, str, Any, set[str]]] = {
    "decodes each chunk": (
        EVENTS.Decoder,
        "feed",
        decoded_by_chunk,
        {"characters_and_events_cut_anywhere", "crlf_cut_in_half"},
    ),
    "does not know CRLF": (
        EVENTS,
        "LINE_END",
        re.compile(rb"\n|\r(?!\n)"),
        {"lines_that_end_in_crlf", "crlf_cut_in_half"},
    ),
    "does not know CR": (
        EVENTS,
        "LINE_END",
        re.compile(rb"\r\n|\n"),
        {"lines_that_end_in_cr"},
    ),
    "takes half a CRLF for a whole line end": (
        EVENTS.Decoder,
        "feed",
        without_holding_back,
        {"crlf_cut_in_half"},
    ),
    "does not know comments": (
        EVENTS.Decoder,
        "line",
        without_comments,
        {"comments_between_events_and_data_in_two_lines", "crlf_cut_in_half"},
    ),
    "takes no event that it does not know": (
        EVENTS.Decoder,
        "dispatch",
        with_known_names,
        {"an_event_that_nobody_has_heard_of"},
    ),
}


PAUSE = {"an_answer_to_go_on_with_says_so"}


@pytest.fixture(params=[*MUTANTS, *HANGING, *DECODERS, "takes a pause for the end"])
def broken(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> tuple[Tried, set[str]]:
    """A backend with something broken in it, and the scenarios that are about that."""
    if request.param in DECODERS:
        where, what, wrong, expected = DECODERS[request.param]
        monkeypatch.setattr(where, what, wrong)
        return Tried(None), expected
    if request.param in HANGING:
        change, expected = HANGING[request.param]
        tried = Tried(change)
        tried.patience = 0.2
        return tried, expected
    if request.param in MUTANTS:
        change, expected = MUTANTS[request.param]
        return Tried(change), expected
    return Tried(m.deaf_to("pause"), MESSAGES), PAUSE


def test_a_sound_backend_fails_no_scenario() -> None:
    assert failing(Tried(None), SCENARIOS) == set()


def test_the_scenarios_that_are_about_it_fail(broken: tuple[Tried, set[str]]) -> None:
    tried, expected = broken
    for name in expected:
        assert any(fails(tried, name, given) for given in SCENARIOS[name]), name


@pytest.mark.long
def test_no_other_scenario_fails(broken: tuple[Tried, set[str]]) -> None:
    tried, expected = broken
    tried.patience = ModelConformance.patience
    assert failing(tried, [name for name in SCENARIOS if name not in expected]) == set()


def test_every_scenario_catches_a_mutant() -> None:
    found = set(PAUSE)
    for _, expected in (*MUTANTS.values(), *HANGING.values()):
        found |= expected
    for *_, expected in DECODERS.values():
        found |= expected
    assert found == SCENARIOS.keys()
