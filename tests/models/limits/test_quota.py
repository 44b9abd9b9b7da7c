"""What servers tell of their limits, in three fashions; nonsense is passed over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hive.models.limits.quota import Quota, quotas, seconds

NOW = "Sat, 21 Nov 2026 12:00:00 GMT"


def test_openai_and_those_who_speak_as_it_does() -> None:
    told = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-limit-tokens": "150000",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-remaining-tokens": "149984",
        "x-ratelimit-reset-requests": "1s",
        "X-RateLimit-Reset-Tokens": "6m0s",
    }
    assert sorted(quotas(told), key=lambda quota: quota.name) == [
        Quota("requests", "requests", 60, 59, 1.0),
        Quota("tokens", "tokens", 150_000, 149_984, 360.0),
    ]


def test_anthropic_by_its_own_clock() -> None:
    told = {
        "date": NOW,
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2026-11-21T12:00:07Z",
        "anthropic-ratelimit-input-tokens-limit": "30000",
        "anthropic-ratelimit-output-tokens-limit": "8000",
        "anthropic-ratelimit-output-tokens-remaining": "0",
        "anthropic-ratelimit-output-tokens-reset": "2026-11-21T11:59:00Z",
        "anthropic-ratelimit-unified-status": "allowed",
    }
    assert sorted(quotas(told), key=lambda quota: quota.name) == [
        Quota("input-tokens", "input-tokens", 30_000),
        Quota("output-tokens", "output-tokens", 8000, 0, 0.0),
        Quota("requests", "requests", 50, 49, 7.0),
    ]


def test_the_draft_of_the_ietf_where_it_counts_requests() -> None:
    told = {
        "ratelimit-policy": '"burst";q=100;w=60, "daily";q=1000;w=86400;pk=:c2s=:, '
        '"bytes";q=5;w=1;qu="content-bytes"',
        "ratelimit": '"burst";r=50;t=30, "daily";r=0',
    }
    assert quotas(told) == [
        Quota("requests (burst)", "requests", 100, 50, 30.0, 60.0),
        Quota("requests (daily)", "requests", 1000, 0, None, 86_400.0),
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        *(("1s", 1), ("120ms", 0.12), ("6m0s", 360), ("1h2m3.5s", 3723.5), ("1d", 86_400)),
        *(("7", 7), ("0.5", 0.5), ("2026-11-21T12:01:00+00:00", 60), (NOW, 0)),
        *(("", None), ("soon", None), ("-1", None), ("nan", None), ("1s later", None)),
        ("2026-11-21T12:01:00", None),
    ],
)
def test_times_to_wait(text: str, wanted: float | None) -> None:
    assert seconds(text, NOW) == wanted


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "x-ratelimit-limit-requests",
                "x-ratelimit-remaining-requests",
                "x-ratelimit-reset-requests",
                "anthropic-ratelimit-tokens-limit",
                "anthropic-ratelimit-tokens-reset",
                "ratelimit",
                "ratelimit-policy",
                "date",
            ]
        ),
        st.text()
        | st.sampled_from(["0", "-1", "9" * 40, "٣", '"a";q=1;w=0', '"a";q=;w=', "1e999"]),
    )
)
def test_no_header_makes_a_call_fail(headers: dict[str, str]) -> None:
    for quota in quotas(headers):
        assert quota.limit > 0
        assert quota.span > 0
        assert quota.reset is None or quota.reset >= 0
