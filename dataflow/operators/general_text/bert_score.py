"""How alike two texts are in meaning, token by token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from dataflow.core.errors import ConfigError
from dataflow.core.outcome import Failure
from dataflow.core.ports import In, Out
from dataflow.operators._lib.scoring.asking import hidden
from dataflow.operators._lib.scoring.batching import Tokens, over_batches
from dataflow.operators._lib.scoring.held import Loaded
from dataflow.operators._lib.scoring.operator import ModelScore

MODELS = {"en": ("distilbert-base-uncased", 5), "zh": ("bert-base-chinese", 8)}
"""The model of a language, and the layer whose vectors are compared."""
OTHER = ("bert-base-multilingual-cased", 9)


class BertSampleEvaluator(ModelScore):
    """Score how close each text is to its reference by BERTScore, the F1 of matched tokens.

    Each token is matched with the one of the other text whose vector is most like it by cosine; the marks that the model
    puts around a text are matched against but do not count. Without idf weights or rescaling. A text without tokens scores 0.
    Zhang et al. 2020, arXiv 1904.09675.
    """

    architecture: ClassVar[str] = "encoder"
    leading: ClassVar[tuple[str, ...]] = ("lang", "model_cache_dir")

    lang: str = "en"
    """The language, which decides the model: English, Chinese (`zh`), or one for all others."""
    model_name: str = ""
    """The encoder: its name on the Hugging Face Hub, or the path of a folder; that of `lang` where left empty."""
    layer: int | None = Field(None, ge=0)
    """The layer whose vectors are compared, 0 for the embeddings; for the models of `lang` the one known to be best, for others the last."""

    input_key = In(None, "the text")
    input_reference_key = In(None, "the reference")
    output_key = Out("BertScore", "the F1 of matched tokens", type="float")

    def named(self) -> str:
        return self.model_name or MODELS.get(self.lang, OTHER)[0]

    def scores(self, loaded: Loaded, rows: list[tuple[Any, ...]]) -> Sequence[Any]:
        found = self.tokens(loaded, [text for row in rows for text in row])
        pairs = list(zip(found[::2], found[1::2], strict=True))
        good = [p for p in pairs if not any(isinstance(t, Failure) for t in p)]
        sizes = [2 * max(len(a.ids), len(b.ids)) for a, b in good]
        layer = self._layer(loaded)
        made = iter(
            over_batches(
                sizes, self.batch_tokens, lambda batch: matched(loaded, [good[i] for i in batch], layer)
            )
        )
        return [next((t for t in p if isinstance(t, Failure)), None) or (next(made) or 0.0) for p in pairs]

    def _layer(self, loaded: Loaded) -> int:
        """The layer compared."""
        known = dict((*MODELS.values(), OTHER))
        last = int(loaded.network.config.num_hidden_layers)
        wanted = known.get(self.named(), last) if self.layer is None else self.layer
        if wanted > last:
            raise ConfigError(f"{self.named()!r} has {last} layers; there is no layer {wanted}")
        return wanted


def matched(loaded: Loaded, pairs: list[tuple[Tokens, Tokens]], layer: int) -> list[float]:
    """The F1 of each pair."""
    import torch

    vectors, mask = hidden(loaded, [t for pair in pairs for t in pair], layer)
    unit = torch.nn.functional.normalize(vectors, dim=-1)
    marks = torch.tensor(_marks(loaded.tokenizer), device=mask.device)
    ids = [t.ids for pair in pairs for t in pair]
    scores = []
    for k in range(0, len(ids), 2):
        if not ids[k] or not ids[k + 1]:
            scores.append(0.0)
            continue
        a, b = (unit[i, : len(ids[i])] for i in (k, k + 1))
        counts = [~torch.isin(torch.tensor(ids[i], device=mask.device), marks) for i in (k, k + 1)]
        like = a @ b.T
        scores.append(_f1(like.amax(1)[counts[0]].tolist(), like.amax(0)[counts[1]].tolist()))
    return scores


def _marks(tokenizer: Any) -> list[int]:
    """The tokens put around a text; that of an unknown word is none of them."""
    ends = (tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id)
    return sorted({i for i in ends if i is not None})


def _f1(precisions: list[float], recalls: list[float]) -> float:
    if not precisions or not recalls:
        return 0.0
    precision, recall = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
