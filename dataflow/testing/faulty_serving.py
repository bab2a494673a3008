"""A serving over real HTTP whose own server fails on purpose."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dataflow.serving.api import APILLMServing
from dataflow.serving.backends.openai import Endpoint
from dataflow.testing.answers import Reply
from dataflow.testing.faults import Faults, Latency
from dataflow.testing.server import FaultyServer

NOWHERE = "http://127.0.0.1/v1"


class FaultyServing(APILLMServing):
    """Answers prompts and embeds texts over HTTP, with faults, from a server of its own on this machine.

    The server starts at the first call, and again after `cleanup`; it ends with the serving. Which try at
    which request fails is drawn from the request alone, so a run repeats exactly. A pickled serving has the
    settings it was made with, and starts a server of its own.

    Args:
        reply: a text, texts of which the request's hash picks one, or a function of the request body. Left
            out: an instance of the requested JSON schema, else `reply <8 hex digits>`.
        faults: what goes wrong, and how often.
        latency_s: how long an answer takes, or a function that draws it.
        slots: requests that the server answers at once; the others wait their turn.
        admit: requests under way at once; one more gets 429.
        fault_seed: another one draws other faults.
        dim: length of a vector.
        backoff_s: wait before the second try of a call; a real serving waits half a second. After a 429 it
            is `faults.retry_after_s`.
        settings: those of `APILLMServing`, but for `api_url`.
    """

    server: FaultyServer
    """The server, for its counters (`calls`, `answered`, `repeated`, `faulted` …) and its outages (`down`)."""

    def __init__(
        self,
        reply: Reply = None,
        faults: Faults | None = None,
        latency_s: Latency = 0.0,
        max_workers: int = 10,
        *,
        slots: int | None = None,
        admit: int | None = None,
        fault_seed: int = 0,
        dim: int = 16,
        backoff_s: float = 0.01,
        model_name: str = "faulty",
        **settings: Any,
    ) -> None:
        self.backoff_s = backoff_s
        self.behaviour: Mapping[str, Any] = {
            "reply": reply,
            "faults": faults or Faults(),
            "latency_s": latency_s,
            "slots": slots,
            "admit": admit,
            "seed": fault_seed,
            "dim": dim,
        }
        super().__init__(NOWHERE, model_name=model_name, max_workers=max_workers, **settings)

    def _begin(self) -> None:
        self.policy = replace(self.policy, backoff_s=self.backoff_s)
        super()._begin()
        self.api_url = NOWHERE
        self.server = FaultyServer(**self.behaviour)
        weakref.finalize(self, self.server.stop)

    @property
    def fingerprint(self) -> Mapping[str, Any]:
        """What decides the replies: faults and the port do not."""
        made = {k: self.behaviour[k] for k in ("reply", "dim")}
        return {**super().fingerprint, "serving": "faulty", "url": NOWHERE, **made}

    def _endpoint(self, *args: Any, **settings: Any) -> Endpoint:
        self.server.start()
        self.api_url = self.server.url
        return super()._endpoint(*args, **settings)

    def cleanup(self) -> None:
        """Close the connections and stop the server; its counters stay until the next call, and go on with it."""
        super().cleanup()
        self.server.stop()
        self.server.port = 0

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k != "server"}
