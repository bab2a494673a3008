"""What endpoints say of their limits."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from dataflow.serving.backends.headers import duration, quota_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("17", 17.0),
        ("1.5", 1.5),
        ("120ms", 0.12),
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("1h2m3s", 3723.0),
        ("1d", 86400.0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "1x", "5 s", "s", "1s!", "2026-01-01T00:00:00Z"])
def test_what_is_no_duration(text: str) -> None:
    assert duration(text) is None


REQUESTS = {"x-ratelimit-remaining-requests": "9", "x-ratelimit-reset-requests": "2s"}
TOKENS = {"x-ratelimit-remaining-tokens": "250", "x-ratelimit-reset-tokens": "500ms"}


@pytest.mark.parametrize(
    ("headers", "quota"),
    [
        ({}, None),
        (REQUESTS, (9, 2.0)),
        (TOKENS, (2, 0.5)),
        (REQUESTS | TOKENS, (2, 0.5)),
        ({"X-RateLimit-Remaining-Requests": "0", "X-RateLimit-Reset-Requests": "1m"}, (0, 60.0)),
        ({"x-ratelimit-remaining-requests": "9"}, None),
        ({"x-ratelimit-remaining-requests": "-1", "x-ratelimit-reset-requests": "2s"}, None),
        (REQUESTS | {"x-ratelimit-reset-requests": "later"}, None),
    ],
    ids=str,
)
def test_quotas(headers: dict[str, str], quota: tuple[float, float] | None) -> None:
    answer = {"usage": {"total_tokens": 100}}
    assert quota_of(CIMultiDict(headers), answer) == quota
