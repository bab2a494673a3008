"""`PerspectiveAPIServing` over a local endpoint of the same protocol."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from scripted_endpoint import Endpoint

from dataflow.core.errors import ServingError
from dataflow.serving.perspective import KEY, MAX_BYTES, PerspectiveAPIServing

SECRET = "g-secret-key"


def scored(value: Any) -> dict[str, Any]:
    return {"attributeScores": {"TOXICITY": {"summaryScore": {"value": value, "type": "PROBABILITY"}}}}


class Api:
    """Scores a text by its length, refuses Klingon, and fails each text's first try where told to."""

    def __init__(self, first: int = 200) -> None:
        self.first, self.tries = first, Counter[str]()

    def __call__(self, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        text = body["comment"]["text"]
        self.tries[text] += 1
        if self.first != 200 and self.tries[text] == 1:
            return self.first, {"error": {"code": self.first, "message": "later"}}
        if text == "nuqneH":
            return 400, {
                "error": {
                    "code": 400,
                    "message": "Attribute TOXICITY does not support request languages: tlh",
                }
            }
        return 200, {} if text == "odd" else scored(len(text) / 100)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, SECRET)


def of(endpoint: Endpoint, **settings: Any) -> PerspectiveAPIServing:
    serving = PerspectiveAPIServing(api_url=f"{endpoint.url}/v1alpha1/comments:analyze", **settings)
    serving.policy = replace(serving.policy, backoff_s=0.005)
    serving._begin()
    return serving


def test_scores(caplog: pytest.LogCaptureFixture) -> None:
    with Endpoint(Api()) as endpoint:
        serving = of(endpoint, languages=["en"])
        assert serving.generate_from_input(["abc", "nuqneH", "", "hello", "odd"]) == [
            0.03,
            None,
            None,
            0.05,
            None,
        ]
        errors = serving.errors
        serving.cleanup()
    assert sorted(errors) == [1, 2, 4]
    assert "does not support" in errors[1]
    assert "no text" in errors[2]
    assert "without a score" in errors[4]
    path, headers, body = endpoint.sent[0]
    assert path == "/v1alpha1/comments:analyze"
    assert headers["x-goog-api-key"] == SECRET
    assert "authorization" not in headers
    assert body["requestedAttributes"] == {"TOXICITY": {}}
    assert (body["doNotStore"], body["languages"]) == (True, ["en"])
    assert SECRET not in caplog.text + str(errors) + repr(vars(serving))


def test_nulls_and_other_attributes() -> None:
    with Endpoint(
        lambda body, headers: (200, {"attributeScores": {"INSULT": {"summaryScore": {"value": 1}}}})
    ) as endpoint:
        serving = of(endpoint, attribute="INSULT")
        assert serving.score([None, "a", "b\ud800"]) == [None, 1.0, 1.0]
        assert "languages" not in endpoint.sent[0][2]
        serving.cleanup()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_faults_are_tried_again(status: int) -> None:
    with Endpoint(Api(first=status)) as endpoint:
        serving = of(endpoint)
        assert serving.generate_from_input(["abc", "de"]) == [0.03, 0.02]
        assert len(endpoint.sent) == 4
        serving.cleanup()


def test_texts_are_scored_once(acting: Any) -> None:
    with Endpoint(Api()) as endpoint:
        serving = of(endpoint)
        with acting():
            assert serving.generate_from_input(["abc", "abc", "de"]) == [0.03, 0.03, 0.02]
            assert serving.generate_from_input(["de"]) == [0.02]
        assert len(endpoint.sent) == 2
        serving.cleanup()


def test_long_texts_are_cut_between_characters() -> None:
    with Endpoint(Api()) as endpoint:
        serving = of(endpoint)
        (score,) = serving.generate_from_input(["é" * MAX_BYTES])
        assert score == MAX_BYTES / 2 / 100
        serving.cleanup()


def test_a_refused_key_stops_the_run() -> None:
    with Endpoint(lambda body, headers: (403, {"error": {"message": "API disabled"}})) as endpoint:
        serving = of(endpoint)
        with pytest.raises(ServingError, match="API disabled") as caught:
            serving.generate_from_input(["a"])
        assert SECRET not in str(caught.value)
        serving.cleanup()


def test_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert PerspectiveAPIServing().check() is None
    monkeypatch.delenv(KEY)
    assert "GOOGLE_API_KEY holds no key" in str(PerspectiveAPIServing().check())
    assert "no http address" in str(PerspectiveAPIServing(api_url="x").check())
    with pytest.raises(ServingError, match="holds no key"):
        PerspectiveAPIServing().generate_from_input(["a"])
    assert PerspectiveAPIServing().fingerprint != PerspectiveAPIServing(attribute="INSULT").fingerprint
