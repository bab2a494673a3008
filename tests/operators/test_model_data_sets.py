"""Measures of whole data sets by models, against the same worked out pair by pair."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from model_references import TEXTS, ids_of, network, tensor, torch
from tiny_models import tiny

from dataflow.operators._lib.scoring.held import Loaded
from dataflow.operators.general_text.task2vec import Task2VecDatasetEvaluator
from dataflow.operators.general_text.vendi import VendiDatasetEvaluator
from dataflow.operators.text_sft.mmd import MMDDatasetEvaluator, squared_mmd
from dataflow.testing import ScriptedServing
from dataflow.testing.cases import run_rows


def vendi_by_kernel(loaded: Loaded, texts: list[str], *, mean: bool) -> float:
    vectors = []
    for text in texts:
        with torch.no_grad():
            found = (
                loaded.network(tensor(ids_of(loaded, text, truncation=True))).last_hidden_state[0].double()
            )
        vectors.append((found.mean(0) if mean else found[0]).numpy())
    unit = np.array([v / np.linalg.norm(v) for v in vectors])
    values = np.linalg.eigvalsh(unit @ unit.T / len(unit))
    return float(np.exp(-sum(v * np.log(v) for v in values if v > 1e-12)))


def test_vendi_from_the_kernel_of_all_pairs() -> None:
    loaded, texts = network("encoder", "distilbert"), TEXTS * 3
    op = VendiDatasetEvaluator(model_name=tiny("distilbert"), simcse_model_name=tiny("distilbert"))
    told = run_rows(op, [{"raw_content": t} for t in [*texts, None, " "]]).metrics
    assert told["texts"] == len(texts)
    assert told["BERTVendiScore"] == round(vendi_by_kernel(loaded, texts, mean=True), 2)
    assert told["SimCSEVendiScore"] == round(vendi_by_kernel(loaded, texts, mean=False), 2)
    few = op.model_copy(update={"max_samples": 1})
    assert few.summarise(texts)["BERTVendiScore"] == 1
    assert op.summarise([None, ""])["BERTVendiScore"] is None


@pytest.mark.parametrize("method", ["montecarlo", "variational"])
def test_task2vec_repeats_and_leaves_the_model_alone(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataflow.operators._lib.scoring.fisher.NOISE_STEPS", 10)
    settings: dict[str, Any] = {"model_name": tiny("gpt2"), "method": method, "sample_nums": 4}
    op = Task2VecDatasetEvaluator(**settings)
    with op.scoring_model.in_use() as loaded:
        before = {n: w.clone() for n, w in loaded.network.state_dict().items()}
    global_state = torch.random.get_rng_state(), random.getstate(), np.random.get_state()[1][0]
    told = op.summarise(TEXTS)
    assert told == op.summarise(TEXTS)
    assert told["samples"] == 4
    assert 0 < told["Task2VecDiversityScore"] <= 1
    assert Task2VecDatasetEvaluator(**settings, seed=1).summarise(TEXTS) != told
    assert op.summarise(["the same"] * 9)["Task2VecDiversityScore"] < told["Task2VecDiversityScore"]
    assert all(torch.equal(w, before[n]) for n, w in loaded.network.state_dict().items())
    assert all(w.grad is None for w in loaded.network.parameters())
    assert torch.equal(torch.random.get_rng_state(), global_state[0])
    assert random.getstate() == global_state[1]
    assert np.random.get_state()[1][0] == global_state[2]


def test_fisher_information_is_the_mean_squared_gradient() -> None:
    from dataflow.operators._lib.scoring.fisher import Probe

    loaded = network("causal", "llama")
    row = ids_of(loaded, "some words")
    made = Probe(loaded, [row], seed=3).information("montecarlo", 0)
    logits = loaded.network(tensor(row)).logits[0, :-1]
    draw = torch.Generator().manual_seed(3)
    labels = torch.multinomial(torch.softmax(logits, -1), 1, generator=draw)[:, 0]
    torch.nn.functional.cross_entropy(logits, labels).backward()
    layers = [m.weight for m in loaded.network.model.modules() if isinstance(m, torch.nn.Linear)]
    want = torch.cat([(w.grad**2).mean(1) for w in layers])
    loaded.network.zero_grad(set_to_none=True)
    assert made == pytest.approx(want.numpy(), rel=1e-3, abs=1e-12)


@pytest.mark.parametrize("bias", [True, False])
def test_mmd_by_loops(bias: bool) -> None:
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(7, 3)), draw.normal(1, 1, size=(5, 3))

    def mean(a: np.ndarray, b: np.ndarray, same: bool) -> float:
        found = [
            math.exp(-float(np.sum((p - q) ** 2)) / (2 * 0.7**2))
            for i, p in enumerate(a)
            for j, q in enumerate(b)
            if not (same and not bias and i == j)
        ]
        return sum(found) / len(found)

    want = mean(x, x, True) + mean(y, y, True) - 2 * mean(x, y, False)
    assert squared_mmd(x, y, 0.7, bias=bias) == pytest.approx(want)


class Reference:
    """A storage, as far as the reference of a comparison goes."""

    def frame(self) -> Any:
        import polars as pl

        return pl.DataFrame({"input": ["a", "b", None], "output": ["x", "y", "z"]})


def test_mmd_of_a_data_set_with_its_reference() -> None:
    keys = {"input_instruction_key": "i", "input_output_key": "o"}
    same = [{"i": "b", "o": "y"}, {"i": None, "o": "x"}, {"i": "a", "o": "x"}]
    by_serving = MMDDatasetEvaluator(Reference(), embedding_serving=ScriptedServing())
    told = run_rows(by_serving, same, **keys).metrics
    assert told == {"MMD": pytest.approx(0, abs=1e-9), "rows": 2, "reference_rows": 2, "failed": 0}
    by_model = MMDDatasetEvaluator(Reference(), embedding_model_name=tiny("distilbert"))
    assert run_rows(by_model, same, **keys).metrics["MMD"] == pytest.approx(0, abs=1e-9)
    other = [{"i": "something else", "o": "entirely"}]
    assert run_rows(by_model, other, **keys).metrics["MMD"] > 1e-4
    assert (
        run_rows(
            MMDDatasetEvaluator(Reference(), bias=False, embedding_model_name=tiny("distilbert")),
            other,
            **keys,
        ).metrics["MMD"]
        is None
    )
    assert [p for p, _ in MMDDatasetEvaluator(Reference()).check(by_model.bind(**keys))] == [
        "embedding_model_name"
    ]
    assert [
        p for p, _ in MMDDatasetEvaluator(Reference(), embedding_type="vllm").check(by_model.bind(**keys))
    ] == ["embedding_serving"]
