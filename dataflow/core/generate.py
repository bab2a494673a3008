"""Operators that ask a model about each row: `Generate`, `Judge`, `Embed`; and `Source`, which makes rows."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import polars as pl

from dataflow.core.asking import Ask, askers, attempted
from dataflow.core.background import current_scope, gathered, replaying
from dataflow.core.definition import check_arity
from dataflow.core.errors import ConfigError, DefinitionError, ServingError, did_you_mean
from dataflow.core.frames import ROW, as_text, series
from dataflow.core.outcome import Failure, Outcome, dropped, shown
from dataflow.core.ports import Binding, In, NoPort, Out, short
from dataflow.core.prompt import Prompt, PromptABC
from dataflow.core.protocols import EmbeddingServing, LLMServing, Request, Scope
from dataflow.core.replies import parse_score
from dataflow.core.rows import RowOperator, expanded, keep_rows, outcome


class Generate(RowOperator):
    """Asks a model about each row: a prompt from the inputs, a value from the reply; null in gives null out.

    The kernel is `parse` (reply to a value, or a tuple of one a port). Override `request` to ask something
    that is no plain template, or `answer` for several calls a row. With `expands` the kernel gives a list,
    and each item becomes a row.
    """

    kind: ClassVar[str] = "Generate"
    kernel: ClassVar[str] = "parse"
    calls_models: ClassVar[bool] = True
    expands: ClassVar[bool] = False
    default_prompt: ClassVar[Prompt | None] = None
    """What is asked where no `prompt_template` is given."""
    input_key = In("raw_content", type="any")
    output_key = Out("generated_content")

    llm_serving: LLMServing
    """The model that answers."""

    @property
    def prompt(self) -> PromptABC | None:
        given: PromptABC | None = getattr(self, "prompt_template", None)
        return given if given is not None else self.default_prompt

    @classmethod
    def check_definition(cls) -> None:
        if (fn := vars(cls).get("parse")) is not None:
            check_arity(cls, fn, 1, "the reply")
        for name in ("request", "answer"):
            if (fn := vars(cls).get(name)) is not None and not cls.open_inputs:
                check_arity(cls, fn, len(cls.inputs), ", ".join(cls.inputs), skip=1 + (name == "answer"))
        named = {short(k) for k in cls.inputs}
        prompt = vars(cls).get("default_prompt")
        if isinstance(prompt, Prompt) and not cls.open_inputs and (loose := set(prompt.slots) - named):
            raise DefinitionError(
                f"{cls.__name__}'s prompt has the slots {sorted(loose)}, which no input port names"
            )

    def check(self, binding: Binding) -> Iterator[tuple[str, str]]:
        yield from super().check(binding)
        yield from check_serving(self.llm_serving, "llm_serving")
        if isinstance(self.prompt, Prompt):
            named = self.slot_names(binding)
            for slot in self.prompt.slots:
                if slot not in named:
                    have = ", ".join(sorted(named)) or "none"
                    yield (
                        "prompt_template",
                        f": the slot {{{slot}}} of {type(self.prompt).__name__} is named by no input port; there are {have}.{did_you_mean(slot, named)}",
                    )

    def slot_names(self, binding: Binding) -> set[str]:
        """The slots that a prompt may have here."""
        return {short(k) for k in binding.reads}

    def request(self, *values: Any) -> Request | str:
        """What is asked about one row."""
        if self.prompt is None:
            raise ConfigError(f"{type(self).__name__} needs prompt_template")
        slots = values[0] if self.open_inputs else dict(zip(self.inputs, values, strict=True))
        return build(self.prompt, {short(k): as_text(v) for k, v in slots.items() if v is not None})

    def parse(self, reply: str) -> Any:
        """The value in a reply; `ReplyError` where there is none."""
        return reply

    async def answer(self, ask: Ask, *values: Any) -> Any:
        """The value for one row; by default one call."""
        return await ask.read(self.request(*values), self.parse)

    async def apply(self, frame: pl.DataFrame, binding: Binding, scope: Scope) -> Outcome:
        rows = self.cells(frame, binding)
        asks = askers(self.llm_serving, scope, frame[ROW].to_list(), type(self).__name__, binding.args)
        results = await gathered(self._one(ask, row) for ask, row in zip(asks, rows, strict=True))
        return outcome(frame, results, lambda kept, done: self.finish(kept, binding, done))

    async def _one(self, ask: Ask, row: tuple[Any, ...]) -> Any:
        if self.skips(row):
            return () if self.expands else None
        return await attempted(self.answer(ask, *row))

    def finish(self, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
        if self.expands:
            return expanded(self, frame, binding, results)
        return Outcome(self.written(frame, binding, results))


def check_serving(serving: Any, parameter: str) -> Iterator[tuple[str, str]]:
    """What would keep this serving from answering at all, told without a call: no key, no such model."""
    check = getattr(serving, "check", None)
    if callable(check) and not replaying.get() and (fault := check()):
        yield parameter, f": {fault}"


def build(prompt: PromptABC, slots: Mapping[str, Any], system: str | None = None) -> Request:
    """A prompt filled in, with `system` where it has no system part; users' own prompts get the slots they take."""
    if isinstance(prompt, Prompt):
        asked, told = prompt.build_prompt(**slots), prompt.build_system_prompt(**slots)
        return Request.of(asked, told or system, prompt.schema())
    own = getattr(prompt, "build_system_prompt", None)
    return Request.of(str(_call(prompt.build_prompt, slots)), _call(own, slots) if callable(own) else system)


def _call(build: Any, slots: Mapping[str, Any]) -> Any:
    params = inspect.signature(build).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in params):
        return build(**slots)
    taken = {p.name for p in params}
    return build(**{k: v for k, v in slots.items() if k in taken})


class Judge(Generate):
    """Asks a model for a number on a scale; a reply without one fails the row.

    With `filters`, only rows whose score lies within the bounds are kept; a row without the value is dropped.
    """

    kind: ClassVar[str] = "Judge"
    filters: ClassVar[bool] = False
    measured: ClassVar[str] = "score"
    scale: ClassVar[tuple[float, float]] = (1, 5)
    output_key = Out("eval", "the score", type="int")

    def parse(self, reply: str) -> Any:
        return parse_score(reply, *self.scale)

    def keeps(self, score: Any) -> bool:
        """Whether a row with that score stays, where this judge filters."""
        return True

    def finish(self, frame: pl.DataFrame, binding: Binding, results: list[Any]) -> Outcome:
        scored = self.written(frame, binding, results)
        if not self.filters:
            return Outcome(scored)
        kept = [r is not None and self.keeps(r) for r in results]
        lost = [i for i, k in enumerate(kept) if not k]
        scores = [(r, k) for r, k in zip(results, kept, strict=True) if isinstance(r, (int, float))]
        measured = pl.DataFrame(scores, {"measure": pl.Float64, "kept": pl.Boolean}, orient="row")
        done = Outcome(keep_rows(scored, kept), measured=measured)
        if lost:
            reasons = ["null" if results[i] is None else f"score {shown(results[i])}" for i in lost]
            done.dropped = dropped(frame, lost, reasons, binding.first_read)
        return done


class Embed(RowOperator):
    """Turns each text into a vector by an embedding model; null in gives null out."""

    kind: ClassVar[str] = "Embed"
    kernel: ClassVar[str] = ""
    calls_models: ClassVar[bool] = True
    input_key = In("text")
    output_key = Out("embeddings", "the vector", type="embedding")

    embedding_serving: EmbeddingServing
    """The model that embeds."""

    def check(self, binding: Binding) -> Iterator[tuple[str, str]]:
        yield from check_serving(self.embedding_serving, "embedding_serving")

    async def apply(self, frame: pl.DataFrame, binding: Binding, scope: Scope) -> Outcome:
        cells = [row[0] for row in self.cells(frame, binding)]
        asked = [i for i, cell in enumerate(cells) if cell is not None]
        vectors = await embed(self.embedding_serving, [as_text(cells[i]) for i in asked], scope)
        results: list[Any] = [None] * frame.height
        for i, vector in zip(asked, vectors, strict=True):
            results[i] = (
                Failure("the embedding model gave no vector", "CallError") if vector is None else vector
            )
        return outcome(frame, results, lambda kept, done: Outcome(self._written(kept, binding, done)))

    def _written(self, frame: pl.DataFrame, binding: Binding, vectors: list[Any]) -> pl.DataFrame:
        (column,) = binding.writes.values()
        return frame.with_columns(series(column, vectors, pl.List(pl.Float32)))


async def embed(serving: EmbeddingServing, texts: list[str], scope: Scope) -> list[Any]:
    """One vector a text, null where the call failed, from a serving with an engine or any that answers lists."""
    native = getattr(serving, "embed", None)
    if native is not None:
        return list(await native(texts, scope))
    token = current_scope.set(scope)
    try:
        vectors = list(await asyncio.to_thread(serving.generate_embedding_from_input, texts))
    finally:
        current_scope.reset(token)
    if len(vectors) != len(texts):
        raise ServingError(f"{type(serving).__name__} gave {len(vectors)} vectors for {len(texts)} texts")
    return vectors


class Source(Generate):
    """Makes rows out of nothing but its settings: the table it starts from must be empty.

    The kernel is `make` (asker and number of the row to a value, or a tuple of one a port).
    """

    kind: ClassVar[str] = "Source"
    makes_rows: ClassVar[bool] = True
    kernel: ClassVar[str] = "make"
    input_key = NoPort()  # type: ignore[assignment]

    def total(self) -> int:
        """How many rows are made."""
        raise NotImplementedError

    async def make(self, ask: Ask, number: int) -> Any:
        raise NotImplementedError

    async def answer(self, ask: Ask, *values: Any) -> Any:
        return await self.make(ask, int(ask.row.rpartition("/")[2]))


__all__ = ["Ask", "Embed", "Generate", "Judge", "Source", "build", "embed"]
