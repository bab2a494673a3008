"""The batch API as a serving, against a real server of files and batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from quick_batches import Batch, Provider, answers, make_servings, prompts, start_providers  # noqa: F401

from dataflow.core.errors import ConfigError, ServingError
from dataflow.serving.batch import BatchLLMServing
from dataflow.testing.batch_faults import BatchFaults

Act = Callable[..., Any]


def test_calls_made_together_are_one_batch(provider: Provider, batch: Batch) -> None:
    server = provider()
    assert batch(server).generate_from_input(prompts(300)) == answers(300)
    assert server.stats()["sizes"] == [300]
    assert set(server.billed.values()) == {1}


def test_a_batch_holds_so_many_requests(provider: Provider, batch: Batch) -> None:
    server = provider()
    assert batch(server, max_batch_requests=40).generate_from_input(prompts(100)) == answers(100)
    assert sorted(server.stats()["sizes"]) == [20, 40, 40]


def test_a_batch_holds_so_many_bytes(provider: Provider, batch: Batch) -> None:
    server = provider()
    assert batch(server, max_batch_bytes=2000).generate_from_input(prompts(50)) == answers(50)
    assert len(server.stats()["sizes"]) > 3
    assert all(len(data) <= 2000 for data in server.files.values() if b'"method"' in data)


def test_a_request_larger_than_a_batch_is_an_error_of_its_row(provider: Provider, batch: Batch) -> None:
    serving = batch(provider(), max_batch_bytes=1000)
    assert serving.generate_from_input(["a", "b" * 2000]) == ["re: a", None]
    assert "a batch takes 1,000" in serving.errors[1]


def test_half_the_price_is_counted(provider: Provider, batch: Batch, acting: Act) -> None:
    with acting() as usage:
        batch(provider(), price=(10.0, 20.0)).generate_from_input(prompts(10))
    listed = (usage.prompt_tokens * 10 + usage.completion_tokens * 20) / 1e6
    assert usage.completion_tokens == 30
    assert usage.cost == pytest.approx(listed / 2)


def test_failed_lines_go_into_the_next_batch(provider: Provider, batch: Batch, acting: Act) -> None:
    server = provider(BatchFaults(failed_lines=0.3))
    with acting() as usage:
        assert batch(server).generate_from_input(prompts(100)) == answers(100)
    first, second = server.stats()["sizes"]
    assert (first, usage.retried, usage.calls, usage.failed) == (100, second, 100, 0)
    assert set(server.billed.values()) == {1}


def test_lines_that_cannot_be_read_are_sent_again(provider: Provider, batch: Batch) -> None:
    server = provider(BatchFaults(malformed_lines=0.2))
    serving = batch(server)
    assert serving.generate_from_input(prompts(100)) == answers(100)
    assert len(server.stats()["sizes"]) == 2


def test_tries_run_out(provider: Provider, batch: Batch) -> None:
    server = provider(BatchFaults(expired=(1, 2, 3, 4)))
    serving = batch(server, max_retries=2)
    assert serving.generate_from_input(["a"]) == [None]
    assert "batch_expired" in serving.errors[0]
    assert "(3 tries)" in serving.errors[0]
    assert server.stats()["sizes"] == [1, 1, 1]


def test_a_refused_line_fails_its_row_at_once(provider: Provider, batch: Batch) -> None:
    server = provider(BatchFaults(refused_lines=0.2))
    serving = batch(server)
    replies = serving.generate_from_input(prompts(50))
    refused = [i for i, reply in enumerate(replies) if reply is None]
    assert 0 < len(refused) < 50
    assert refused == sorted(serving.errors)
    assert all("refused on purpose" in error for error in serving.errors.values())
    assert server.stats()["sizes"] == [50]


def test_an_expired_batch_keeps_what_it_answered(provider: Provider, batch: Batch) -> None:
    server = provider(BatchFaults(expired=(1,)))
    assert batch(server).generate_from_input(prompts(60)) == answers(60)
    assert server.stats()["sizes"] == [60, 30]
    assert set(server.billed.values()) == {1}


def test_faults_of_the_endpoint_cost_nothing(provider: Provider, batch: Batch) -> None:
    server = provider(BatchFaults(errors=0.3, lost_answers=0.5), work_s=0.1, seed=3)
    serving = batch(server, max_batch_requests=10)
    assert serving.generate_from_input(prompts(60)) == answers(60)
    assert server.stats()["sizes"] == [10] * 6
    assert set(server.billed.values()) == {1}


@pytest.mark.parametrize("refuse", [True, False])
def test_a_full_queue_is_waited_for(provider: Provider, batch: Batch, refuse: bool) -> None:
    server = provider(BatchFaults(queue_limit=25, refuse_full=refuse), validate_s=0.02, work_s=0.05)
    serving = batch(server, max_batch_requests=20, max_retries=0)
    assert serving.generate_from_input(prompts(60)) == answers(60)
    assert set(server.billed.values()) == {1}


def test_a_batch_too_long_for_an_empty_queue_is_halved(provider: Provider, batch: Batch) -> None:
    server = provider(BatchFaults(queue_limit=25))
    assert batch(server, max_retries=0).generate_from_input(prompts(60)) == answers(60)
    assert max(len(b.lines) for b in server.batches.values() if b.told["status"] == "completed") <= 25


def test_a_batch_that_is_not_accepted_stops_the_run(provider: Provider, batch: Batch) -> None:
    with pytest.raises(ServingError, match="not accepted: invalid_batch on purpose"):
        batch(provider(BatchFaults(invalid=(1,)))).generate_from_input(prompts(3))


def test_a_model_that_is_not_there_stops_the_run(provider: Provider, batch: Batch) -> None:
    serving = batch(provider(), model_name="unknown")
    with pytest.raises(ServingError, match="no such model"):
        serving.generate_from_input(prompts(5))


def test_a_dead_endpoint_is_told(batch: Batch, provider: Provider) -> None:
    server = provider()
    serving = batch(server, max_retries=1)
    serving.api_url = "http://127.0.0.1:9/v1"
    with pytest.raises(ServingError, match="2 tries"):
        serving.generate_from_input(["a"])


SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}


def test_a_structured_reply_is_asked_for_again_in_a_later_batch(provider: Provider, batch: Batch) -> None:
    def mend(body: dict[str, Any]) -> str:
        assert body["response_format"]["json_schema"]["strict"]
        return '{"n": 7}' if "is not of type" in str(body["messages"][-1]) else '{"n": "seven"}'

    server = provider(reply=mend)
    assert batch(server).generate_from_input(["a", "b"], json_schema=SCHEMA) == ['{"n":7}', '{"n":7}']
    assert server.stats()["sizes"] == [2, 2]


def test_lone_surrogates_are_no_hindrance(provider: Provider, batch: Batch) -> None:
    (reply,) = batch(provider()).generate_from_input(["half a pair: \ud800"])
    assert reply is not None
    assert reply.startswith("re: half a pair")


def test_embeddings_and_senseless_limits_are_refused() -> None:
    with pytest.raises(ConfigError, match="max_batch_requests=0"):
        BatchLLMServing(max_batch_requests=0)
    with pytest.raises(ConfigError, match="no embeddings"):
        BatchLLMServing().generate_embedding_from_input(["a"])


def test_replies_are_those_of_the_online_serving(provider: Provider, batch: Batch, acting: Act) -> None:
    from dataflow.serving.api import APILLMServing

    server = provider()
    with acting():
        batch(server, model_name="m").generate_from_input(prompts(5))
        online = APILLMServing(server.url, model_name="m")
        assert online.fingerprint == batch(server, model_name="m").fingerprint
        assert online.generate_from_input(prompts(5)) == answers(5)
        online.cleanup()
    assert not any("chat" in path for path in server.calls)
