"""`APIGoogleVertexAIServing`: where calls go, with which key or token, and that tokens are renewed."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from scripted_endpoint import Endpoint, said

from dataflow.core.errors import ConfigError, ServingError
from dataflow.serving import google
from dataflow.serving.google import GEMINI, APIGoogleVertexAIServing, Token


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, project or token but what a test sets."""
    for name in (*google.KEYS, *google.PROJECTS, google.TOKEN, "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)


def hi(body: Any, headers: dict[str, str]) -> tuple[int, Any]:
    return 200, said("hi")


def test_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    vertex = "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4/endpoints/openapi"
    assert APIGoogleVertexAIServing(project="p", location="europe-west4").url == vertex
    everywhere = "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi"
    assert APIGoogleVertexAIServing(project="p", location="global").url == everywhere
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "q")
    assert "projects/q/" in APIGoogleVertexAIServing().url
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    assert APIGoogleVertexAIServing().url == GEMINI
    assert "projects/p/" in APIGoogleVertexAIServing(project="p").url


@pytest.mark.parametrize("name", google.KEYS)
def test_with_a_key(name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv(name, "g-secret-key\n")
    with Endpoint(hi) as endpoint:
        serving = APIGoogleVertexAIServing(api_url=f"{endpoint.url}/v1beta/openai/")
        schema = {"type": "object", "properties": {}}
        assert serving.generate_from_input(["a"]) == ["hi"]
        assert serving.generate_from_input(["a"], json_schema=schema) == [None]
        serving.cleanup()
    path, headers, body = endpoint.sent[0]
    assert path == "/v1beta/openai/chat/completions"
    assert headers["authorization"] == "Bearer g-secret-key"
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("gemini-2.5-flash", 0.0, 4096)
    assert endpoint.sent[1][2]["response_format"]["json_schema"]["schema"] == schema
    assert "g-secret-key" not in caplog.text + repr(vars(serving))


def test_with_a_token_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(google.TOKEN, "t1")
    with Endpoint(hi) as endpoint:
        serving = APIGoogleVertexAIServing(project="p", api_url=endpoint.url)
        assert serving.generate_from_input(["a"]) == ["hi"]
        monkeypatch.setenv(google.TOKEN, "t2")
        assert serving.generate_from_input(["b"]) == ["hi"]
        serving.cleanup()
    assert [headers["authorization"] for _, headers, _ in endpoint.sent] == ["Bearer t1", "Bearer t2"]
    assert endpoint.sent[0][2]["model"] == "google/gemini-2.5-flash"


def test_failures_are_no_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "g-key")
    with Endpoint(lambda body, headers: (400, {"error": {"message": "blocked"}})) as endpoint:
        serving = APIGoogleVertexAIServing(api_url=endpoint.url)
        assert serving.generate_from_input(["a"]) == [None]
        assert "blocked" in serving.errors[0]
        serving.cleanup()


def test_batches_are_refused() -> None:
    with pytest.raises(ConfigError, match="batches through BigQuery are not offered"):
        APIGoogleVertexAIServing(use_batch=True)


def test_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hold no key" in str(APIGoogleVertexAIServing().check())
    with pytest.raises(ServingError, match="neither project nor GOOGLE_CLOUD_PROJECT is set"):
        APIGoogleVertexAIServing().generate_from_input(["a"])
    monkeypatch.setattr(google, "_has_google_auth", lambda: False)
    assert "Vertex AI needs a token" in str(APIGoogleVertexAIServing(project="p").check())
    monkeypatch.setenv(google.TOKEN, "t")
    assert APIGoogleVertexAIServing(project="p").check() is None


def service_account(folder: Path, token_uri: str) -> str:
    """The key file of a service account that gets its tokens from an address of ours."""
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    account = {
        "type": "service_account", "client_email": "a@p.iam.gserviceaccount.com", "private_key": pem,
        "private_key_id": "1", "token_uri": token_uri, "project_id": "p",
    }  # fmt: skip
    (folder / "account.json").write_text(json.dumps(account))
    return str(folder / "account.json")


def test_tokens_of_google_auth_are_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("google.auth.transport.requests")
    given: list[str] = []

    def answer(body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        if not isinstance(body, str):
            return 200, said(headers["authorization"])
        given.append(f"token{len(given)}")
        return 200, {"access_token": given[-1], "expires_in": 3600, "token_type": "Bearer"}

    with Endpoint(answer) as endpoint:
        monkeypatch.setenv(
            "GOOGLE_APPLICATION_CREDENTIALS", service_account(tmp_path, f"{endpoint.url}/token")
        )
        serving = APIGoogleVertexAIServing(project="p", api_url=endpoint.url)
        assert serving.check() is None
        assert serving.generate_from_input(["a", "b"]) == ["Bearer token0"] * 2
        credentials: Any = serving._chat._token._credentials  # type: ignore[union-attr]
        credentials.expiry = datetime.datetime(2000, 1, 1)
        assert serving.generate_from_input(["c"]) == ["Bearer token1"]
        serving.cleanup()


def test_credentials_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("google.auth.transport.requests")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nothing.json"))
    with pytest.raises(ServingError, match="no token for Vertex AI: "):
        Token()()
