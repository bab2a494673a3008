"""Four qualities of texts, by QuRater."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from dataflow.core.errors import ConfigError
from dataflow.core.outcome import Failure
from dataflow.core.ports import Arg, Binding, In, NoPort, Out
from dataflow.operators._lib.score_range import Bounds, Ranges
from dataflow.operators._lib.scoring.asking import flat, label_scores, pieces
from dataflow.operators._lib.scoring.batching import Tokens, whole
from dataflow.operators._lib.scoring.held import Loaded
from dataflow.operators._lib.scoring.operator import ModelScore

Quality = Literal["writing_style", "required_expertise", "facts_and_trivia", "educational_value"]
QUALITIES: tuple[Quality, ...] = (
    "writing_style",
    "required_expertise",
    "facts_and_trivia",
    "educational_value",
)


class QuratingSampleEvaluator(ModelScore):
    """Score each text for style, expertise, facts and educational value by QuRater.

    A text is read in pieces of `max_length` tokens, and a score is the mean over them weighted by their length. The scores are
    raw outputs with a mean near 0; higher is more. A text without tokens gives null. Only the columns of `labels` are
    written. Wettig et al. 2024, arXiv 2402.09739.
    """

    leading: ClassVar[tuple[str, ...]] = (
        "map_batch_size",
        "num_workers",
        "device_batch_size",
        "device",
        "labels",
        "model_cache_dir",
    )

    map_batch_size: int = 512
    """Has no effect: rows are scored as they come."""
    num_workers: int = 1
    """Has no effect: there is one model on one device."""
    device_batch_size: int = Field(16, ge=1)
    """Pieces scored at once."""
    labels: list[Quality] = list(QUALITIES)
    """The qualities scored."""
    max_length: int | None = Field(512, ge=1)
    """Tokens a piece."""
    model_name: str = "princeton-nlp/QuRater-1.3B"

    input_key = In("raw_content", "the text")
    output_key = Arg(None, "has no effect: each quality has a column of its own")  # type: ignore[assignment]
    output_writing_style_key = Out("QuratingWritingStyleScore", "the style of writing", type="float")
    output_required_expertise_key = Out(
        "QuratingRequiredExpertiseScore", "the expertise needed", type="float"
    )
    output_facts_and_trivia_key = Out("QuratingFactsAndTriviaScore", "facts and trivia", type="float")
    output_educational_value_key = Out("QuratingEducationalValueScore", "the educational value", type="float")

    def bind(self, **keys: Any) -> Binding:
        bound = super().bind(**keys)
        writes = {k: c for k, c in bound.writes.items() if k[len("output_") : -len("_key")] in self.labels}
        return Binding(bound.reads, writes, bound.args)

    def scores(self, loaded: Loaded, rows: list[tuple[Any, ...]]) -> Sequence[Any]:
        cut = [self._pieces(loaded, text) for (text,) in rows]
        tokens = flat([p for p in cut if not isinstance(p, Failure)])
        budget = min(self.batch_tokens, self.device_batch_size * loaded.limit)
        outputs = iter(label_scores(loaded, tokens, budget))
        return [p if isinstance(p, Failure) else self._mean(p, [next(outputs) for _ in p]) for p in cut]

    def _pieces(self, loaded: Loaded, text: str) -> list[Tokens] | Failure:
        try:
            return [Tokens(p) for p in pieces(whole(loaded, text), loaded.limit)]
        except (TypeError, ValueError) as error:
            return Failure.of(error)

    def _mean(self, parts: list[Tokens], outputs: list[list[float]]) -> tuple[float, ...] | None:
        """The scores of a text by those of its pieces, one a quality."""
        if not parts:
            return None
        if len(outputs[0]) != len(QUALITIES):
            raise ConfigError(
                f"{self.named()!r} has {len(outputs[0])} outputs, where QuRater has {len(QUALITIES)}"
            )
        sizes = [len(p.ids) for p in parts]
        return tuple(
            math.fsum(n * o[i] for n, o in zip(sizes, outputs, strict=True)) / sum(sizes)
            for i in range(len(QUALITIES))
        )


class QuratingFilter(Ranges, QuratingSampleEvaluator):
    """Keep texts all of whose scores by QuRater lie within their ranges.

    The bounds are inclusive; a quality that a mapping of bounds leaves out is not bounded on that side. The scores are
    written, as by the evaluator.
    """

    leading: ClassVar[tuple[str, ...]] = (
        "min_scores", "max_scores", "map_batch_size", "num_workers", "device_batch_size", "device", "labels", "model_cache_dir",
    )  # fmt: skip

    min_scores: Mapping[Quality, float] = dict.fromkeys(QUALITIES, 0.0)
    """Lowest score kept of each quality."""
    max_scores: Mapping[Quality, float] = dict.fromkeys(QUALITIES, 9.0)
    """Highest score kept of each quality."""

    output_key = NoPort()  # type: ignore[assignment]

    def bounds(self, binding: Binding) -> Mapping[str, Bounds]:
        return {
            f"output_{name}_key": (self.min_scores.get(name), self.max_scores.get(name))
            for name in self.labels
        }
