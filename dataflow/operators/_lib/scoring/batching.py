"""Texts as tokens, and batches of them that waste little on padding."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataflow.core.errors import STOPPING
from dataflow.core.frames import clean
from dataflow.core.outcome import Failure
from dataflow.operators._lib.scoring.held import Loaded

log = logging.getLogger(__name__)

Text = str | tuple[str, str]
"""What a model reads: a text, or a pair of them."""


@dataclass(frozen=True)
class Tokens:
    """A text as a model reads it."""

    ids: list[int]
    types: list[int] = field(default_factory=list)
    """Which of a pair each token is of, where the model tells them apart."""
    cut: bool = False
    """Whether the text is longer than this."""


def tokenised(loaded: Loaded, texts: Sequence[Text], *, special: bool = True) -> list[Tokens | Failure]:
    """Each text cut to what the model reads, or why it cannot be tokenised; of a pair the longer is cut first."""
    cleaned: list[Any] = [tuple(map(clean, t)) if isinstance(t, tuple) else clean(t) for t in texts]
    try:
        return _encoded(loaded, cleaned, special)
    except STOPPING:
        raise
    except Exception:  # noqa: BLE001  # one text's fault: find out whose
        return [_alone(loaded, text, special) for text in cleaned]


def _alone(loaded: Loaded, text: Text, special: bool) -> Tokens | Failure:
    try:
        return _encoded(loaded, [text], special)[0]
    except STOPPING:
        raise
    except Exception as error:  # noqa: BLE001  # this text's alone
        return Failure.of(error)


def _encoded(loaded: Loaded, texts: Sequence[Any], special: bool) -> list[Tokens | Failure]:
    if not texts:
        return []
    columns = [list(c) for c in zip(*texts, strict=True)] if isinstance(texts[0], tuple) else [list(texts)]
    made = loaded.tokenizer(*columns, truncation=True, max_length=loaded.limit, add_special_tokens=special)
    types = made.get("token_type_ids") or [[]] * len(texts)
    fast = getattr(made, "encodings", None)
    cut = [bool(e.overflowing) for e in fast] if fast else [len(i) >= loaded.limit for i in made["input_ids"]]
    return [Tokens(i, t, c) for i, t, c in zip(made["input_ids"], types, cut, strict=True)]


def whole(loaded: Loaded, text: str) -> list[int]:
    """All tokens of a text, without those that a model puts around it."""
    made = loaded.tokenizer(clean(text), add_special_tokens=False, truncation=False, verbose=False)
    ids: list[int] = made["input_ids"]
    return ids


def token_batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Positions in batches of at most `budget` tokens, padding counted; the longest texts come first.

    A text that is longer by itself is a batch of its own. Empty ones are in none.
    """
    batch: list[int] = []
    for i in sorted((i for i, n in enumerate(lengths) if n), key=lambda i: (-lengths[i], i)):
        if batch and (len(batch) + 1) * lengths[batch[0]] > budget:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def padded(loaded: Loaded, batch: Sequence[Tokens], *, left: bool = False) -> dict[str, Any]:
    """Tensors `(n, longest)` of tokens and their mask, on the model's device."""
    import torch

    width = max(len(t.ids) for t in batch)

    def filled(rows: Sequence[Sequence[int]], fill: int) -> Any:
        gaps = [[fill] * (width - len(row)) for row in rows]
        laid = [[*g, *r] if left else [*r, *g] for r, g in zip(rows, gaps, strict=True)]
        return torch.tensor(laid, dtype=torch.long, device=loaded.device)

    inputs = {
        "input_ids": filled([t.ids for t in batch], loaded.pad),
        "attention_mask": filled([[1] * len(t.ids) for t in batch], 0),
    }
    if batch[0].types:
        inputs["token_type_ids"] = filled([t.types for t in batch], 0)
    return inputs


Score = Callable[[list[int]], Sequence[Any]]
"""The results for the texts at these positions, in that order."""


def over_batches(lengths: Sequence[int], budget: int, score: Score) -> list[Any]:
    """The result for each text, in order; null for one without tokens.

    A batch that does not fit into the accelerator's memory is tried again in halves.
    """
    results: list[Any] = [None] * len(lengths)
    for batch in token_batches(lengths, budget):
        for i, result in zip(batch, _halving(batch, score), strict=True):
            results[i] = result
    return results


def _halving(batch: list[int], score: Score) -> list[Any]:
    import torch

    try:
        with torch.no_grad():
            return list(score(batch))
    except torch.cuda.OutOfMemoryError:
        if len(batch) == 1:
            raise
    torch.cuda.empty_cache()
    log.warning("%d texts at once are too many for the memory; trying halves", len(batch))
    half = len(batch) // 2
    return [*_halving(batch[:half], score), *_halving(batch[half:], score)]


def split_failures(found: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """What is no failure, and the positions of it."""
    good = [i for i, t in enumerate(found) if not isinstance(t, Failure)]
    return [found[i] for i in good], good


def scored(
    loaded: Loaded, found: Sequence[Any], budget: int, score: Callable[[list[Tokens]], Sequence[Any]]
) -> list[Any]:
    """What `score` makes of the tokens of each row; failures stay as they are."""
    tokens, places = split_failures(found)
    made = over_batches([len(t.ids) for t in tokens], budget, lambda batch: score([tokens[i] for i in batch]))
    results = list(found)
    for i, value in zip(places, made, strict=True):
        results[i] = value
    return results
