"""What is asked of a model in one pass: labels, losses, next tokens, vectors."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Literal

from dataflow.operators._lib.scoring.batching import Text, Tokens, over_batches, padded, scored, tokenised
from dataflow.operators._lib.scoring.held import Loaded

Pooling = Literal["mean", "first"]


def label_scores(loaded: Loaded, found: Sequence[Any], budget: int) -> list[Any]:
    """The raw outputs of a classifier for each row of tokens; null for one without tokens."""
    return scored(loaded, found, budget, lambda batch: _outputs(loaded, batch).tolist())


def _outputs(loaded: Loaded, batch: list[Tokens]) -> Any:
    inputs, network = padded(loaded, batch), loaded.network
    head = getattr(network, "score", None)
    if head is None:
        made = network(**inputs)
        return getattr(made, "logits", made).float()
    # A decoder's own pooling looks for the padding token, which a text may end in.
    vectors = network.base_model(**inputs, use_cache=False).last_hidden_state
    return head(last(vectors, batch)).float()


def last(values: Any, batch: Sequence[Tokens]) -> Any:
    """What a batch that is padded on the right has at the last token of each text."""
    ends = [len(t.ids) - 1 for t in batch]
    return values[list(range(len(batch))), ends]


def token_losses(loaded: Loaded, rows: Sequence[list[int]], budget: int) -> list[list[float] | None]:
    """For each row of tokens the losses (in nats) of all but the first; null for fewer than two."""
    import torch

    def losses(batch: list[int]) -> list[list[float]]:
        inputs = padded(loaded, [Tokens(rows[i]) for i in batch])
        logits = loaded.network(**inputs, use_cache=False).logits
        targets = inputs["input_ids"][:, 1:]
        return [
            torch.nn.functional.cross_entropy(
                logits[k, : len(rows[i]) - 1].float(), targets[k, : len(rows[i]) - 1], reduction="none"
            ).tolist()
            for k, i in enumerate(batch)
        ]

    return over_batches([len(r) if len(r) > 1 else 0 for r in rows], budget, losses)


def next_tokens(loaded: Loaded, found: Sequence[Any], budget: int, wanted: Sequence[int]) -> list[Any]:
    """The probabilities of these tokens, among them alone, as what follows each row."""
    import torch

    def probabilities(batch: list[Tokens]) -> Any:
        logits = last(loaded.network(**padded(loaded, batch), use_cache=False).logits, batch)
        return torch.softmax(logits[:, list(wanted)].float(), dim=-1).tolist()

    return scored(loaded, found, budget, probabilities)


def hidden(loaded: Loaded, batch: list[Tokens], layer: int | None = None) -> tuple[Any, Any]:
    """A vector a token `(n, longest, dim)`, of the last layer or a deeper one, and the mask."""
    inputs = padded(loaded, batch)
    made = loaded.network(**inputs, output_hidden_states=layer is not None)
    vectors = made.last_hidden_state if layer is None else made.hidden_states[layer]
    return vectors.float(), inputs["attention_mask"]


def pooled(loaded: Loaded, batch: list[Tokens], pooling: Pooling) -> Any:
    """One vector a text: the mean over its tokens, or that of the first."""
    vectors, mask = hidden(loaded, batch)
    if pooling == "first":
        return vectors[:, 0]
    weight = mask.unsqueeze(-1).to(vectors.dtype)
    return (vectors * weight).sum(1) / weight.sum(1).clamp(min=1)


def vectors_of(loaded: Loaded, texts: Sequence[Text], budget: int, pooling: Pooling = "mean") -> list[Any]:
    """A list of floats for each text; a `Failure` or null where there is none."""
    found = tokenised(loaded, texts)
    return scored(loaded, found, budget, lambda batch: pooled(loaded, batch, pooling).tolist())


def pieces(ids: list[int], size: int) -> list[list[int]]:
    """Tokens in pieces of `size`; the last may be shorter."""
    return [ids[i : i + size] for i in range(0, len(ids), size)]


def flat(rows: Sequence[Sequence[Any]]) -> list[Any]:
    return list(itertools.chain.from_iterable(rows))
