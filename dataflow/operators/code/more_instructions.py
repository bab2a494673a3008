"""More tasks in the manner of those that are there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from random import Random
from typing import Any

import polars as pl

from dataflow.core.asking import ask_all
from dataflow.core.errors import CallError, ConfigError
from dataflow.core.frames import as_text, values
from dataflow.core.generate import build
from dataflow.core.operator import OperatorABC
from dataflow.core.outcome import Failure
from dataflow.core.prompt import DIYPromptABC, prompt_restrict
from dataflow.core.protocols import LLMServing
from dataflow.operators._lib.replies import bare
from dataflow.prompts.code import CodeInstructionGeneratePrompt

_SHINGLE = 3


@prompt_restrict(CodeInstructionGeneratePrompt)
class CodeInstructionGenerator(OperatorABC):
    """Make up tasks in the manner of those in a column: a new table of them, one model call each.

    Every call is shown `num_few_shot` tasks, drawn by `seed` without repetition among rows that are neither null nor blank. A new task
    that repeats one of the table, or one made before it, is left out: most of the runs of three words in either are in both,
    case aside. So are calls that fail; the table may have fewer than `num_generate` rows.

    Args:
        llm_serving: the model that answers.
        prompt_template: what is asked; your own may take `few_shot_examples`, a list of texts, or `examples`, one text.
        num_few_shot: tasks shown in each call.
        num_generate: calls, and rows made at most.
        seed: changes which tasks are shown.
        max_similarity: from this Jaccard index on a task repeats another.

    Raises:
        ConfigError: there are fewer tasks than are to be shown.
    """

    def __init__(
        self,
        llm_serving: LLMServing,
        prompt_template: CodeInstructionGeneratePrompt | DIYPromptABC | None = None,
        num_few_shot: int = 3,
        num_generate: int = 10,
        *,
        seed: int = 42,
        max_similarity: float = 0.75,
    ) -> None:
        super().__init__()
        if num_few_shot < 0 or num_generate < 0:
            raise ConfigError("CodeInstructionGenerator: num_few_shot and num_generate may not be negative")
        self.llm_serving, self.prompt_template = llm_serving, prompt_template
        self.num_few_shot, self.num_generate, self.seed = num_few_shot, num_generate, seed
        self.max_similarity = max_similarity

    def run(
        self, storage: Any, input_key: str = "prompt", output_key: str = "generated_instruction"
    ) -> list[str]:
        frame: pl.DataFrame = storage.frame()
        cells = [as_text(v) for v in values(frame[input_key]) if v is not None]
        tasks = [t for t in cells if t.strip()]
        if len(tasks) < self.num_few_shot:
            raise ConfigError(
                f"CodeInstructionGenerator shows num_few_shot={self.num_few_shot} tasks, but column {input_key!r} has {len(tasks)}"
            )
        replies = ask_all(
            self.llm_serving, [self._request(tasks, i) for i in range(self.num_generate)], type(self).__name__
        )
        failures = [r for r in replies if isinstance(r, Failure)]
        if failures and len(failures) == len(replies):
            raise CallError(f"CodeInstructionGenerator: every call failed; the first: {failures[0].error}")
        made = [bare(r) for r in replies if isinstance(r, str)]
        fresh = fresh_tasks(tasks, made, self.max_similarity)
        storage.put(pl.DataFrame({output_key: pl.Series(fresh, dtype=pl.String)}))
        self.logger.info(
            "CodeInstructionGenerator: %d tasks made, %d repeated others or were blank, %d calls failed",
            len(fresh), len(made) - len(fresh), len(failures),
        )  # fmt: skip
        return [output_key]

    def _request(self, tasks: list[str], number: int) -> Any:
        shown = Random(f"{self.seed}/{number}").sample(tasks, self.num_few_shot)
        prompt = self.prompt_template or CodeInstructionGeneratePrompt()
        return build(prompt, {"few_shot_examples": shown, "examples": "\n\n".join(shown)})


def fresh_tasks(pool: Iterable[str], made: Iterable[str], limit: float) -> list[str]:
    """Those that are not blank, and are not like any of the pool or one before them."""
    sizes: list[int] = []
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)

    def like_another(shingles: set[tuple[str, ...]]) -> bool:
        shared = Counter(i for s in shingles for i in holders[s])
        return any(n / (len(shingles) + sizes[i] - n) >= limit for i, n in shared.items())

    def hold(shingles: set[tuple[str, ...]]) -> None:
        for shingle in shingles:
            holders[shingle].append(len(sizes))
        sizes.append(len(shingles))

    for text in pool:
        hold(_shingles(text))
    fresh = []
    for text in made:
        shingles = _shingles(text)
        if shingles and not like_another(shingles):
            hold(shingles)
            fresh.append(text)
    return fresh


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = text.casefold().split()
    return (
        {tuple(words[i : i + _SHINGLE]) for i in range(max(1, len(words) - _SHINGLE + 1))} if words else set()
    )
