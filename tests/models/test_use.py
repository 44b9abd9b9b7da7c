"""What servers report of the tokens used, each in its fashion."""

import json
from typing import Any

import pytest

from hive.message import Usage
from hive.models.bound import input_bound
from hive.testing.faults import raw
from tests.models.asking import ASK, ask

DETAILS = {"prompt_tokens_details": None, "completion_tokens_details": None}


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ({}, Usage(input=100, output=20)),
        (DETAILS, Usage(input=100, output=20)),
        ({"total_tokens": 120}, Usage(input=100, output=20)),
        (
            {"prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30}},
            Usage(input=100, output=20, cached_read=60, cache_write=30),
        ),
        (
            {"prompt_cache_hit_tokens": 60, "prompt_cache_miss_tokens": 40},
            Usage(input=100, output=20, cached_read=60),
        ),
        ({"cached_tokens": 60}, Usage(input=100, output=20, cached_read=60)),
        (
            {"total_tokens": 120, "completion_tokens_details": {"reasoning_tokens": 15}},
            Usage(input=100, output=20, reasoning=15),
        ),
        (
            {"total_tokens": 135, "completion_tokens_details": {"reasoning_tokens": 15}},
            Usage(input=100, output=35, reasoning=15),
        ),
        ({"total_tokens": 135}, Usage(input=100, output=35, reasoning=15)),
    ],
    ids=[
        *("plain", "nulls", "total", "openai", "deepseek", "moonshot", "reasoning"),
        *("xai", "google"),
    ],
)
@pytest.mark.asyncio
async def test_input_counts_what_was_cached_and_output_what_was_thought(
    reported: dict[str, Any], expected: Usage
) -> None:
    body = {
        "choices": [{"index": 0, "message": {"content": "x"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, **reported},
    }
    line = raw(json.dumps(body).encode(), "application/json")
    reply, _ = await ask([line], "openai-chat:x", ASK)
    assert reply.usage == expected


@pytest.mark.parametrize("missing", ["prompt_tokens", "completion_tokens"])
@pytest.mark.asyncio
async def test_counts_that_are_null_are_no_report_and_the_answer_counts_at_the_most(
    missing: str,
) -> None:
    body = {
        "choices": [{"index": 0, "message": {"content": "x"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, missing: None},
    }
    reply, _ = await ask([raw(json.dumps(body).encode(), "application/json")], "openai-chat:x", ASK)
    assert reply.text == "x"
    assert reply.usage.input == input_bound(ASK)
    assert reply.usage.output > 0
