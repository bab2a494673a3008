"""What calls add to the usage of the operator on whose behalf they are made."""

from __future__ import annotations

import random

from dataflow.core.protocols import Usage
from dataflow.serving.journal import Entry

LATENCIES_KEPT = 2000


def count_saved(usage: Usage | None, entry: Entry) -> None:
    """A reply that was there already."""
    if usage is not None:
        usage.cached += 1
        usage.saved_prompt_tokens += entry.prompt_tokens
        usage.saved_completion_tokens += entry.completion_tokens
        usage.saved_cost += entry.cost
        usage.saved_seconds += entry.seconds


def count_spent(usage: Usage | None, prompt: int, completion: int, cost: float) -> None:
    """The tokens of a reply."""
    if usage is not None:
        usage.prompt_tokens += prompt
        usage.completion_tokens += completion
        usage.cost += cost


def count_failed(usage: Usage | None) -> None:
    if usage is not None:
        usage.failed += 1


def count_retried(usage: Usage | None) -> None:
    if usage is not None:
        usage.retried += 1


def count_answered(usage: Usage | None, model: str, seconds: float) -> None:
    """A call that was answered; of the latencies an even sample is kept."""
    if usage is None:
        return
    usage.calls += 1
    usage.models.add(model)
    if len(usage.latencies) < LATENCIES_KEPT:
        usage.latencies.append(seconds)
    elif (i := random.randrange(usage.calls)) < LATENCIES_KEPT:
        usage.latencies[i] = seconds
