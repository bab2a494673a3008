"""Questions that take several facts of a text."""

from __future__ import annotations

from itertools import chain
from typing import Any

import polars as pl
from pydantic import Field, ValidationError

from dataflow.core.asking import Ask, readable
from dataflow.core.errors import ReplyError
from dataflow.core.generate import Generate, build
from dataflow.core.outcome import Outcome, dropped
from dataflow.core.ports import Binding, In, Out
from dataflow.core.prompt import DIYPromptABC, PromptABC, prompt_restrict
from dataflow.core.replies import parse_json
from dataflow.core.rows import keep_rows
from dataflow.operators._lib.sentences import count_words, sentences
from dataflow.prompts.core_text import MultiHopPair, Text2MultiHopQAGeneratorPrompt

MIN_CHARS, MAX_CHARS = 100, 200_000
MAX_SYMBOLS = 0.3
MIN_SENTENCE_CHARS = 10

Pair = dict[str, Any]


@prompt_restrict(Text2MultiHopQAGeneratorPrompt)
class Text2MultiHopQAGenerator(Generate):
    """Draw questions that link several facts out of each text, with the steps to their answers.

    Windows of three sentences are asked about in order, as many at once as questions are still missing, until
    there are `num_q` different ones: at least one call a row, at most one a window. Dropped are rows that are
    null, shorter than 100 or longer than 200,000 characters, of fewer than two sentences, made up of more than
    30 % symbols, or without any question found. A row fails where no reply can be read.
    """

    seed: int = 0
    """Kept for pipelines that give it; nothing is drawn."""
    lang: str = "en"
    """The language of the default prompt: `en`, or Chinese for any other."""
    prompt_template: Text2MultiHopQAGeneratorPrompt | DIYPromptABC | None = None
    """What is asked about a window."""
    num_q: int = Field(5, ge=1)
    """Most questions a row."""

    input_key = In("cleaned_chunk", "what is asked about")
    output_key = Out("QA_pairs", "the list of questions, with answers, steps, facts and type", type="json")
    output_meta_key = Out("QA_metadata", "source, timestamp and complexity, 0 to 1", type="json")

    @property
    def prompt(self) -> PromptABC:
        return self.prompt_template or Text2MultiHopQAGeneratorPrompt(self.lang)

    def slot_names(self, binding: Binding) -> set[str]:
        return {"text"}

    async def answer(self, ask: Ask, text: str) -> tuple[list[Pair], Pair] | str:
        """The pairs with their metadata, or the reason why there are none."""
        if reason := unfit(text):
            return reason
        pairs = await self._pairs(ask, windows(text))
        meta = {"source": "default_source", "timestamp": "", "complexity": complexity(pairs)}
        return (pairs, meta) if pairs else "no question found"

    async def _pairs(self, ask: Ask, contexts: list[str]) -> list[Pair]:
        found: dict[str, Pair] = {}
        read, fault = False, None
        while contexts and (missing := self.num_q - len(found)) > 0:
            now, contexts = contexts[:missing], contexts[missing:]
            asked = (build(self.prompt, {"text": context}) for context in now)
            try:
                made = await readable(ask.read(request, self.parse) for request in asked)
            except ReplyError as error:
                fault = error
                continue
            read = True
            for pair in chain.from_iterable(filter(None, made)):
                found.setdefault(" ".join(pair["question"].lower().split()), pair)
        if fault and not read:
            raise fault
        return list(found.values())[: self.num_q]

    def parse(self, reply: str) -> list[Pair]:
        made = parse_json(reply)
        pairs = [pair for item in (made if isinstance(made, list) else [made]) if (pair := complete(item))]
        if not pairs and made:
            raise ReplyError("no question with an answer, steps, facts and type in the reply")
        return pairs

    def finish(self, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
        kept = [isinstance(result, tuple) for result in results]
        lost = [i for i, k in enumerate(kept) if not k]
        done = Outcome(
            self.written(keep_rows(frame, kept), binding, [r for r in results if isinstance(r, tuple)])
        )
        if lost:
            reasons = [results[i] or "null" for i in lost]
            done.dropped = dropped(frame, lost, reasons, binding.first_read)
        return done


def unfit(text: str) -> str | None:
    """Why a text cannot be asked about, if it cannot."""
    body = text.strip()
    if not MIN_CHARS <= len(body) <= MAX_CHARS:
        return "too short" if len(body) < MIN_CHARS else "too long"
    if body.count(".") < 2 and body.count("。") < 2:
        return "fewer than two sentences"
    symbols = sum(not (c.isalnum() or c.isspace()) for c in body)
    return "too many symbols" if symbols / len(body) > MAX_SYMBOLS else None


def windows(text: str) -> list[str]:
    """Each three neighbouring sentences of which the first two are longer than ten characters."""
    parts = sentences(text)
    triples = zip(parts, parts[1:], parts[2:], strict=False)
    return [" ".join(t) for t in triples if min(len(t[0]), len(t[1])) > MIN_SENTENCE_CHARS]


def complete(item: Any) -> Pair | None:
    """A pair with all its parts, or nothing; steps given as bare texts are taken."""
    if not isinstance(item, dict):
        return None
    steps = item.get("reasoning_steps")
    if isinstance(steps, list):
        item = {**item, "reasoning_steps": [{"step": s} if isinstance(s, str) else s for s in steps]}
    try:
        pair = MultiHopPair.model_validate(item)
    except ValidationError:
        return None
    return pair.model_dump() if pair.question.strip() and pair.answer.strip() else None


def complexity(pairs: list[Pair]) -> float:
    """How demanding the questions are, 0 to 1: from their steps, facts and length, on average."""
    if not pairs:
        return 0.0
    return sum(map(_complexity, pairs)) / len(pairs)


def _complexity(pair: Pair) -> float:
    return (
        0.4 * min(len(pair["reasoning_steps"]) / 3, 1)
        + 0.3 * min(len(pair["supporting_facts"]) / 3, 1)
        + 0.15 * min(count_words(pair["question"]) / 20, 1)
        + 0.15 * min(count_words(pair["answer"]) / 50, 1)
    )
