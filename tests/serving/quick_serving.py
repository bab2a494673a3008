"""A serving that waits a hundredth of the usual time between its tries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dataflow.serving.api import APILLMServing
from dataflow.serving.base import Serving


class Quick(APILLMServing):
    """`APILLMServing` with waits short enough for tests."""

    def __init__(self, *args: Any, deadline_s: float = 900.0, **settings: Any) -> None:
        super().__init__(*args, **settings)
        policy = replace(self.policy, backoff_s=0.005, deadline_s=deadline_s)
        Serving.__init__(self, self.name, policy)
