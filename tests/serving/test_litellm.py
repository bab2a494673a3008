"""`LiteLLMServing`: what litellm's exceptions mean, and real calls through it where it is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from dataflow.core.errors import CallError, ConfigError, MissingDependency, ServingError
from dataflow.serving.backends.litellm import LiteLLMEmbeddings, Route, meaning
from dataflow.serving.faults import Fault, Throttled, Unreachable
from dataflow.serving.litellm import LiteLLMServing
from dataflow.testing.server import Faults, FaultyServer, unit_vector

Start = Callable[..., FaultyServer]
INSTALLED = importlib.util.find_spec("litellm") is not None
live = pytest.mark.skipif(not INSTALLED, reason="litellm is not installed")


def raised(name: str, status: int | None = None, message: str = "said", **headers: str) -> Exception:
    """An exception as litellm makes them: a name, a status, a response."""
    error: Any = type(name, (Exception,), {})(message)
    error.status_code, error.message = status, message
    error.response = SimpleNamespace(headers={k.title().replace("_", "-"): v for k, v in headers.items()})
    return error  # type: ignore[no-any-return]


def serving_of(server: FaultyServer, **settings: Any) -> LiteLLMServing:
    serving = LiteLLMServing(api_url=server.url, **({"model_name": "openai/toy"} | settings))
    serving.policy = replace(serving.policy, backoff_s=0.01)
    serving._begin()
    return serving


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (raised("AuthenticationError", 401), ServingError),
        (raised("PermissionDeniedError", 403), ServingError),
        (raised("NotFoundError", 404), ServingError),
        (raised("PaymentRequiredError", 400), ServingError),
        (raised("BudgetExceededError"), ServingError),
        (raised("LiteLLMUnknownProvider", 400), ServingError),
        (raised("UnsupportedParamsError", 400), ServingError),
        (raised("BadRequestError", 400, "LLM Provider NOT provided."), ServingError),
        (raised("RateLimitError", 429, "insufficient_quota: pay"), ServingError),
        (raised("SomeError", 402), ServingError),
        (raised("RateLimitError", 429), Throttled),
        (raised("Timeout", 408), Fault),
        (TimeoutError(), Fault),
        (raised("InternalServerError", 500), Fault),
        (raised("ServiceUnavailableError", 503), Fault),
        (raised("APIResponseValidationError"), Fault),
        (raised("ConflictError", 409), Fault),
        (raised("APIConnectionError", 500), Unreachable),
        (raised("InternalServerError", 500, "OpenAIException - Connection error."), Unreachable),
        (ConnectionResetError("reset"), Unreachable),
        (raised("BadRequestError", 400), CallError),
        (raised("ContextWindowExceededError", 400), CallError),
        (raised("ContentPolicyViolationError", 400), CallError),
        (raised("UnprocessableEntityError", 422), CallError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_exceptions_mean(error: Exception, kind: type[Exception]) -> None:
    assert type(meaning(error)) is kind


def test_how_long_to_wait() -> None:
    def wait(**headers: str) -> Any:
        return vars(meaning(raised("RateLimitError", 429, **headers)))["retry_after_s"]

    assert wait(retry_after="2.5") == 2.5
    assert wait(retry_after="soon") is None
    assert wait() is None
    assert (
        vars(meaning(type("RateLimitError", (Exception,), {"status_code": 429})()))["retry_after_s"] is None
    )


def test_the_key_is_in_no_text() -> None:
    error = meaning(raised("AuthenticationError", 401, "bad key sk-1234 " + "x" * 1000), "sk-1234")
    assert "sk-1234" not in str(error)
    assert len(str(error)) <= 300
    assert "sk-1234" not in repr(Route("m", "sk-1234"))
    assert "sk-1234" not in str(LiteLLMEmbeddings(Route("m", "sk-1234")).identity)


def test_settings() -> None:
    serving = LiteLLMServing(
        model_name="azure/x",
        api_url="https://a.example/v1/chat/completions",
        api_version="2",
        custom_llm_provider="p",
        seed=3,
    )
    assert serving.shared == {
        "api_version": "2", "custom_llm_provider": "p", "timeout": 60, "api_base": "https://a.example/v1",
    }  # fmt: skip
    assert serving.extra == {"seed": 3}
    assert "api_base" not in LiteLLMServing(model_name="anthropic/claude-x").shared
    assert serving.fingerprint == replace_timeout(serving).fingerprint
    assert serving.fingerprint != LiteLLMServing(model_name="azure/x").fingerprint
    with pytest.raises(ConfigError, match="must be 'chat' or 'embedding'"):
        LiteLLMServing("both")  # type: ignore[arg-type]


def replace_timeout(serving: LiteLLMServing) -> LiteLLMServing:
    return LiteLLMServing(
        model_name="azure/x", api_url=serving.api_url, timeout=1, max_workers=2, api_version="3", seed=3
    )


def test_replies_of_other_shapes_are_read() -> None:
    serving = LiteLLMServing()
    answer = {"choices": [{"message": {"content": "a", "reasoning_content": "why"}}]}
    assert serving.format_response(answer) == "<think>why</think>\n<answer>a</answer>"
    assert serving.format_response(SimpleNamespace(model_dump=lambda: answer)).endswith("<answer>a</answer>")
    assert serving.format_response({"data": [{"embedding": [1.0]}]}, is_embedding=True) == [1.0]


@pytest.mark.skipif(INSTALLED, reason="litellm is installed")
def test_without_the_package() -> None:
    assert LiteLLMServing().check() == 'LiteLLMServing needs litellm: pip install "dataflow-llm[litellm]"'
    with pytest.raises(MissingDependency):
        LiteLLMServing().generate_from_input(["a"])
    with pytest.raises(ConfigError, match="needs litellm"):
        LiteLLMServing(validate_on_init=True)


@live
def test_a_missing_key_is_found_without_a_call() -> None:
    assert "holds no key" in str(LiteLLMServing(key_name_of_api_key="NO_SUCH_KEY").check())
    assert LiteLLMServing(key_name_of_api_key="").check() is None
    with pytest.raises(ConfigError, match="holds no key"):
        LiteLLMServing(validate_on_init=True, key_name_of_api_key="NO_SUCH_KEY")


@live
def test_chat(start: Start, acting: Any) -> None:
    server = start()
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    serving = serving_of(server, temperature=0)
    with acting() as usage:
        first = serving.generate_from_input(["a", "b", "a"])
        assert first[0] == first[2] != first[1]
        assert serving.generate_from_input(["a"], json_schema=schema) == ['{"x":0}']
        assert serving.generate_from_input(["a", "b"]) == first[:2]
    assert server.calls == usage.calls == 3
    serving.switch_model("openai/other")
    assert serving.generate_from_input(["a"]) != first[:1]
    assert len(serving.get_supported_models()) > 100


@live
@pytest.mark.parametrize("fault", ["status_500", "status_429", "drop"])
def test_faults_are_tried_again(start: Start, fault: str) -> None:
    server = start(reply="hi", faults=Faults(**{fault: 1.0}, first_attempts=1, retry_after_s=0.02))
    assert serving_of(server).generate_from_input(["a", "b"]) == ["hi", "hi"]
    assert server.calls == 4


@live
def test_a_refused_row_is_no_answer(start: Start) -> None:
    server = start(faults=Faults(status_400=1.0))
    serving = serving_of(server)
    assert serving.generate_from_input(["a"]) == [None]
    assert "BadRequestError" in serving.errors[0]
    assert server.calls == 1


@live
def test_a_slow_server(start: Start) -> None:
    serving = serving_of(start(latency_s=5), timeout=0.2, max_retries=1)
    assert serving.generate_from_input(["a"]) == [None]
    assert "Timeout" in serving.errors[0]


@live
def test_nobody_there_stops_the_run(start: Start) -> None:
    server = start()
    server.stop()
    with pytest.raises(ServingError, match="has answered nothing so far"):
        serving_of(server, max_retries=1).generate_from_input(["a"])
    with pytest.raises(ServingError, match="LLM Provider NOT provided"):
        LiteLLMServing(model_name="nosuchprovider/x", api_url=server.url).generate_from_input(["a"])


@live
def test_embeddings_come_in_the_order_of_the_texts(start: Start) -> None:
    serving = serving_of(start(), serving_type="embedding")
    texts = [f"t{i}" for i in range(150)]
    vectors = serving.generate_embedding_from_input(texts)
    for text, vector in zip(texts, vectors, strict=True):
        assert vector == pytest.approx(unit_vector(text, 16), abs=1e-6)
    with pytest.raises(ConfigError, match="answers no prompts"):
        serving.generate_from_input(["a"])
    with pytest.raises(ConfigError, match="gives no embeddings"):
        serving_of(start()).generate_embedding_from_input(["a"])
