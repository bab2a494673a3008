"""One prompt put to a model about each row: score it, keep it, rewrite it, or fill a template from it."""

from __future__ import annotations

from typing import Any

from dataflow.operators.core_text import (
    FormatStrPromptedGenerator,
    PromptedEvaluator,
    PromptedFilter,
    PromptedRefiner,
)
from dataflow.pipeline import PipelineABC
from dataflow.prompts.core_text import FormatStrPrompt
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage
from dataflow.zoo._examples import CONVERSATIONS, DRAFTS, TERMS

RUBRIC = (
    "You review conversations between a person and an assistant that may be used to train a language model. "
    "Judge only the assistant: is what it says correct, does it do what was asked, is it clear and polite? "
    "1: wrong, harmful or no answer at all. 2: poor. 3: usable with reservations. 4: good. 5: nothing to mend."
)
EDITOR = (
    "You are a copy editor. Correct spelling, grammar, broken lines and shouting in the text you are given, and "
    "remove what does not belong to it, such as menus. Keep its meaning, language and tone, and add nothing. "
    "Reply with the corrected text alone."
)
EXPLAIN = (
    "Explain the term “{term}” to {role} in at most three sentences, with one example from their own life."
)


class PromptedEvaluator_APIPipeline(PipelineABC):  # noqa: N801  # named as the other published pipelines
    """Score conversations from 1 to 5 by a model.

    Args:
        llm_serving: the judge; `gpt-4o-mini` where left out.
        system_prompt: what is judged and how.
        source: a table with the column `conversations`, of any type.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        *,
        system_prompt: str = RUBRIC,
        source: str = CONVERSATIONS,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="prompted_evaluator", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.evaluate = PromptedEvaluator(self.llm_serving, system_prompt)

    def forward(self) -> None:
        self.evaluate.run(self.storage.step(), input_key="conversations", output_key="eval_dim_1")


class PromptedFilter_APIPipeline(PipelineABC):  # noqa: N801  # named as the other published pipelines
    """Keep the conversations that a model finds good.

    Args:
        llm_serving: the judge; `gpt-4o-mini` where left out.
        system_prompt: what is judged and how.
        min_score: the lowest score kept, of 1 to 5.
        source: a table with the column `conversations`, of any type.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        *,
        system_prompt: str = RUBRIC,
        min_score: int = 4,
        source: str = CONVERSATIONS,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="prompted_filter", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.keep = PromptedFilter(self.llm_serving, system_prompt, min_score=min_score)

    def forward(self) -> None:
        self.keep.run(self.storage.step(), input_key="conversations", output_key="eval_dim_1")


class PromptedRefiner_APIPipeline(PipelineABC):  # noqa: N801  # named as the other published pipelines
    """Correct texts by a model, in place.

    Args:
        llm_serving: the editor; `gpt-4o-mini` where left out.
        system_prompt: how texts are rewritten.
        source: a table with the column `raw_content`.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        *,
        system_prompt: str = EDITOR,
        source: str = DRAFTS,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="prompted_refiner", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.refine = PromptedRefiner(self.llm_serving, system_prompt)

    def forward(self) -> None:
        self.refine.run(self.storage.step(), input_key="raw_content")


class FormatStrPrompted_APIPipeline(PipelineABC):  # noqa: N801  # named as the other published pipelines
    """Answer a template that is filled from two columns: explain a term to somebody.

    Args:
        llm_serving: the model that answers; `gpt-4o-mini` where left out.
        template: what is asked, with the fields `{role}` and `{term}`.
        source: a table with the columns `role` and `term`.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        *,
        template: str = EXPLAIN,
        source: str = TERMS,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="format_str_prompted", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.explain = FormatStrPromptedGenerator(self.llm_serving, prompt_template=FormatStrPrompt(template))

    def forward(self) -> None:
        self.explain.run(self.storage.step(), output_key="explanation", role="role", term="term")
