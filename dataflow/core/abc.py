"""Roots of classes that users of open-dataflow 1.x derive from."""

from __future__ import annotations

from typing import Any


class LLMServingABC:
    """The root of users' own servings: override `generate_from_input`.

    It gives one reply a prompt, in order, and null where a call failed. A serving that also has a
    coroutine `ask(request, scope, row, sample)` is streamed row by row instead of list by list.
    """

    def generate_from_input(
        self, user_inputs: list[str], system_prompt: str = "", json_schema: dict[str, Any] | None = None
    ) -> list[str | None]:
        raise NotImplementedError(f"{type(self).__name__} does not define generate_from_input")

    def start_serving(self) -> None:
        """Make ready to answer; servings also do so by themselves at the first call."""

    def cleanup(self) -> None:
        """Let go of connections and models; the next call takes them up again."""

    def load_model(self, model_name_or_path: str, **settings: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__} does not load models")


class WrapperABC:
    """The root of users' own wrappers around an operator."""

    def run(self, *args: Any, **keys: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define run")
