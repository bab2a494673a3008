"""Scores in batches against the same worked out one row at a time, from the models themselves, without padding."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import POSITIONS, tiny

from dataflow.core.errors import ConfigError, ServingError
from dataflow.core.frames import records
from dataflow.core.operator import Operator
from dataflow.operators._lib.scoring.batching import token_batches
from dataflow.operators._lib.scoring.held import Key, Loaded, held
from dataflow.operators.general_text.bert_score import BertSampleEvaluator
from dataflow.operators.general_text.classifier import ClassifierSampleEvaluator
from dataflow.operators.general_text.task2vec import Task2VecDatasetEvaluator
from dataflow.operators.general_text.vendi import VendiDatasetEvaluator
from dataflow.operators.text_pt.deberta_v3 import DebertaV3SampleEvaluator
from dataflow.operators.text_pt.fineweb_edu import FineWebEduFilter, FineWebEduSampleEvaluator
from dataflow.operators.text_pt.pair_qual import PairQualSampleEvaluator
from dataflow.operators.text_pt.perplexity import PerplexityFilter, PerplexitySampleEvaluator
from dataflow.operators.text_pt.qurating import QUALITIES, QuratingSampleEvaluator
from dataflow.operators.text_sft.deita import DeitaQualitySampleEvaluator
from dataflow.operators.text_sft.instag import InstagSampleEvaluator, number_of_tags
from dataflow.operators.text_sft.mmd import MMDDatasetEvaluator, squared_mmd
from dataflow.operators.text_sft.reward import RMSampleEvaluator
from dataflow.operators.text_sft.superfiltering import SuperfilteringSampleEvaluator, fitted
from dataflow.testing import ScriptedServing
from dataflow.testing.cases import run_rows

torch = pytest.importorskip("torch", reason="scoring by models needs the extra hf")
transformers = pytest.importorskip("transformers", reason="scoring by models needs the extra hf")

TEXTS = [
    "a", "The cat sat on the mat.", "one two three", "x" * 200, "Was it? It was!", "short", "a longer text of several words",
    "0123456789", "zz top", "the end", "ab", "what is more, " * 9,
]  # fmt: skip
WORDS = ["the", "of", "cat", "red", "sat", "two", "runs", "on", "a", "mat"]


def network(kind: str, name: str) -> Loaded:
    """A model loaded apart from that of the operators."""
    with held(Key(kind, tiny(name), None, "cpu", "float32")).in_use() as loaded:
        return loaded


def tensor(*rows: list[int]) -> Any:
    return torch.tensor(rows)


def scores(op: Operator, texts: list[Any], column: str, **keys: Any) -> list[Any]:
    return [r[column] for r in records(run_rows(op, [{"raw_content": t} for t in texts], **keys).frame)]


def close(values: list[Any]) -> Any:
    return pytest.approx(values, rel=1e-4, abs=1e-5)


@torch.no_grad()
def losses(loaded: Loaded, ids: list[int]) -> list[float]:
    """The loss of each token but the first, one at a time."""
    logits = torch.log_softmax(loaded.network(tensor(ids)).logits[0].double(), -1)
    return [-float(logits[i - 1, token]) for i, token in enumerate(ids) if i]


def ids_of(loaded: Loaded, text: str, **settings: Any) -> list[int]:
    return list(loaded.tokenizer(text, **settings)["input_ids"])


@pytest.mark.parametrize("budget", [1, 60, 100_000])
def test_perplexity(budget: int) -> None:
    loaded = network("causal", "gpt2")
    assert loaded.tokenizer.pad_token is None
    want = [
        math.exp(np.mean(told)) if (told := losses(loaded, ids_of(loaded, t)[:POSITIONS])) else None
        for t in TEXTS
    ]
    assert len({f"{w:.3f}" for w in want if w}) == len(TEXTS) - 1
    made = scores(PerplexitySampleEvaluator(tiny("gpt2"), batch_tokens=budget), TEXTS, "PerplexityScore")
    assert made[0] is want[0] is None
    assert made[1:] == close(want[1:])


def test_the_order_of_rows_does_not_matter() -> None:
    order = list(range(len(TEXTS)))
    random.Random(1).shuffle(order)
    op = PerplexitySampleEvaluator(tiny("gpt2"), batch_tokens=120)
    straight = scores(op, TEXTS, "PerplexityScore")
    mixed = scores(op, [TEXTS[i] for i in order], "PerplexityScore")
    assert mixed == [None if straight[i] is None else pytest.approx(straight[i], rel=1e-4) for i in order]


def test_max_length_and_the_log_of_what_was_cut(caplog: pytest.LogCaptureFixture) -> None:
    loaded, text = network("causal", "gpt2"), TEXTS[1]
    op = PerplexitySampleEvaluator(tiny("gpt2"), max_length=9)
    with caplog.at_level("INFO", "dataflow"):
        made = scores(op, [text, "short"], "PerplexityScore")
    assert made[0] == close(math.exp(np.mean(losses(loaded, ids_of(loaded, text)[:9]))))
    assert "1 of 2 texts were cut to 9 tokens" in caplog.text


@pytest.mark.parametrize("budget", [1, 60, 100_000])
def test_regression_and_rewards(budget: int) -> None:
    loaded = network("classifier", "bert")
    with torch.no_grad():
        want = [
            float(
                loaded.network(tensor(ids_of(loaded, t, truncation=True, max_length=POSITIONS))).logits[0, 0]
            )
            for t in TEXTS
        ]
    assert len({f"{w:.4f}" for w in want}) > 8
    op = FineWebEduSampleEvaluator(model_name=tiny("bert"), batch_tokens=budget)
    assert scores(op, TEXTS, "FinewebEduScore") == close(want)


@pytest.mark.parametrize("budget", [1, 100_000])
def test_rewards_of_pairs(budget: int) -> None:
    loaded, pairs = network("classifier", "reward"), list(zip(TEXTS, reversed(TEXTS), strict=True))
    with torch.no_grad():
        want = [
            float(
                loaded.network(
                    tensor(ids_of(loaded, a, text_pair=b, truncation=True, max_length=POSITIONS))
                ).logits[0, 0]
            )
            for a, b in pairs
        ]
    op = RMSampleEvaluator(model_name=tiny("reward"), batch_tokens=budget)
    done = run_rows(op, [{"instruction": a, "output": b} for a, b in pairs])
    assert [r["RMScore"] for r in records(done.frame)] == close(want)


def test_the_probability_of_a_label() -> None:
    loaded = network("classifier", "labelled")
    with torch.no_grad():
        want = [
            torch.softmax(loaded.network(tensor(ids_of(loaded, t, truncation=True))).logits[0], -1)[2].item()
            for t in TEXTS
        ]
    op = ClassifierSampleEvaluator(tiny("labelled"), "good", batch_tokens=99)
    assert scores(op, TEXTS, "ClassifierScore") == close(want)
    with pytest.raises(ConfigError, match=r"no label 'god'; there are bad, fair, good. Did you mean 'good'"):
        scores(ClassifierSampleEvaluator(tiny("labelled"), "god"), TEXTS, "ClassifierScore")
    with pytest.raises(ConfigError, match="has 3 labels"):
        scores(ClassifierSampleEvaluator(tiny("labelled")), TEXTS, "ClassifierScore")


def test_quality_classes_of_a_head_built_by_hand() -> None:
    from safetensors.torch import load_file

    loaded = network("deberta_head", "quality")
    state = load_file(Path(tiny("quality")) / "model.safetensors")
    want = []
    for text in TEXTS:
        with torch.no_grad():
            first = loaded.network.body(tensor(ids_of(loaded, text, truncation=True))).last_hidden_state[0, 0]
        want.append(("High", "Medium", "Low")[int((state["fc.weight"] @ first + state["fc.bias"]).argmax())])
    assert len(set(want)) > 1
    assert torch.equal(
        loaded.network.body.embeddings.word_embeddings.weight,
        state["model.embeddings.word_embeddings.weight"],
    )
    assert scores(DebertaV3SampleEvaluator(tiny("quality"), batch_tokens=90), TEXTS, "Debertav3Score") == want


def test_pair_scores_of_a_head_built_by_hand() -> None:
    loaded = network("bert_head", "pairs")
    state = torch.load(Path(tiny("pairs")) / "pytorch_model.bin", weights_only=True)
    want = []
    for text in TEXTS:
        with torch.no_grad():
            x = loaded.network.body(tensor(ids_of(loaded, text, truncation=True))).pooler_output[0]
        x = torch.relu(state["regression.0.weight"] @ x + state["regression.0.bias"])
        want.append(float(state["regression.3.weight"] @ x + state["regression.3.bias"]))
    assert scores(
        PairQualSampleEvaluator(model_name=tiny("pairs"), batch_tokens=90), TEXTS, "PairQualScore"
    ) == close(want)


@pytest.mark.parametrize("at_once", [1, 16])
def test_qurating_weighs_pieces_by_their_length(at_once: int) -> None:
    loaded = network("classifier", "qurater")
    want = []
    for text in TEXTS:
        ids = ids_of(loaded, text, add_special_tokens=False)
        parts = [ids[i : i + 20] for i in range(0, len(ids), 20)]
        with torch.no_grad():
            told = [
                loaded.network.score(loaded.network.model(tensor(p)).last_hidden_state[0, -1]) for p in parts
            ]
        want.append(sum(len(p) * t for p, t in zip(parts, told, strict=True)) / len(ids))
    op = QuratingSampleEvaluator(model_name=tiny("qurater"), max_length=20, device_batch_size=at_once)
    made = records(run_rows(op, [{"raw_content": t} for t in TEXTS]).frame)
    for i, quality in enumerate(QUALITIES):
        column = f"Qurating{quality.title().replace('_', '').replace('And', 'And')}Score"
        assert [r[column] for r in made] == close([float(w[i]) for w in want])
    only = QuratingSampleEvaluator(model_name=tiny("qurater"), labels=["facts_and_trivia"])
    assert list(run_rows(only, [{"raw_content": "a"}]).frame.columns)[-1:] == ["QuratingFactsAndTriviaScore"]


def test_deita_takes_the_mean_of_the_grades_in_one_pass() -> None:
    loaded, form = network("causal", "llama"), "Q: {instruction} A: {output} ="
    rows = [{"instruction": a, "output": b} for a, b in zip(TEXTS, reversed(TEXTS), strict=True)]
    want = []
    for row in rows:
        ids = ids_of(loaded, form.format(**row))
        if len(ids) > 60:
            ids = ids[: 60 - 2] + ids_of(loaded, " =", add_special_tokens=False)
        with torch.no_grad():
            logits = loaded.network(tensor(ids)).logits[0, -1]
        shares = torch.softmax(
            logits[[loaded.tokenizer.convert_tokens_to_ids(str(k)) for k in range(1, 7)]], -1
        )
        want.append(sum(k * float(p) for k, p in enumerate(shares, 1)))
    op = DeitaQualitySampleEvaluator(
        model_name=tiny("llama"), max_length=60, input_format=form, batch_tokens=200
    )
    assert [r["DeitaQualityScore"] for r in records(run_rows(op, rows).frame)] == close(want)


def test_a_tokenizer_without_digits_cannot_grade(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = network("causal", "llama")
    monkeypatch.setattr(type(loaded.tokenizer), "convert_tokens_to_ids", lambda *_: None)
    with pytest.raises(ConfigError, match="no token '1'"):
        run_rows(
            DeitaQualitySampleEvaluator(
                model_name=tiny("llama"), device="cpu", dtype="float32", model_cache_dir=None
            ),
            [{"instruction": "a", "output": "b"}],
        )


def test_ifd_compares_the_same_tokens() -> None:
    loaded = network("causal", "gpt2")
    rows = [{"instruction": a, "output": b} for a, b in zip(TEXTS, reversed(TEXTS), strict=True)]
    want = []
    for row in rows:
        asked, answer = (ids_of(loaded, t) for t in (row["instruction"] + "\n", row["output"]))
        answer = answer[: POSITIONS - min(len(asked), POSITIONS // 2)]
        asked = asked[-(POSITIONS - len(answer)) :] if len(asked) + len(answer) > POSITIONS else asked
        alone = losses(loaded, answer)
        after = losses(loaded, asked + answer)[-len(alone) :] if alone else []
        want.append(math.exp(np.mean(after)) / math.exp(np.mean(alone)) if alone else None)
    assert sum(w is None for w in want) == 1
    op = SuperfilteringSampleEvaluator(model_name=tiny("gpt2"), batch_tokens=130)
    made = [r["SuperfilteringScore"] for r in records(run_rows(op, rows).frame)]
    assert [m for m in made if m is not None] == close([w for w in want if w is not None])
    assert made.index(None) == want.index(None)


@pytest.mark.parametrize(
    ("asked", "answer", "kept"),
    [(3, 4, (3, 4)), (30, 4, (6, 4)), (3, 30, (3, 7)), (30, 30, (5, 5)), (0, 30, (0, 10))],
)
def test_long_instructions_lose_their_beginning(asked: int, answer: int, kept: tuple[int, int]) -> None:
    made = fitted(list(range(asked)), list(range(answer)), 10)
    assert (made.asked, made.answer) == (list(range(asked))[asked - kept[0] :], list(range(kept[1])))


def test_bert_score_against_loops() -> None:
    loaded = network("encoder", "distilbert")

    def states(text: str) -> list[tuple[Any, bool]]:
        ids = ids_of(loaded, text, truncation=True)
        with torch.no_grad():
            found = loaded.network(tensor(ids), output_hidden_states=True).hidden_states[2][0]
        return [(v / v.norm(), t > 3 or t == 1) for v, t in zip(found, ids, strict=True)]

    pairs = list(zip(TEXTS, [*TEXTS[1:], TEXTS[0]], strict=True))
    want = []
    for text, reference in pairs:
        a, b = states(text), states(reference)
        precision = np.mean([max(float(x @ y) for y, _ in b) for x, counts in a if counts])
        recall = np.mean([max(float(x @ y) for x, _ in a) for y, counts in b if counts])
        want.append(2 * precision * recall / (precision + recall))
    op = BertSampleEvaluator(model_name=tiny("distilbert"), layer=2, batch_tokens=200)
    done = run_rows(op, [{"t": a, "r": b} for a, b in pairs], input_key="t", input_reference_key="r")
    assert [r["BertScore"] for r in records(done.frame)] == close(want)
    with pytest.raises(ConfigError, match="has 3 layers"):
        run_rows(
            BertSampleEvaluator(model_name=tiny("distilbert"), layer=4),
            [{"t": "a", "r": "b"}],
            input_key="t",
            input_reference_key="r",
        )


def test_instag_replies() -> None:
    assert number_of_tags('[{"tag": "a"}, {"tag": "b"}]') == 2
    assert number_of_tags('Tags: {"tag": "a"}') == 1
    assert number_of_tags("[]") == 0
    with pytest.raises(ValueError):
        number_of_tags("no tags here")


@pytest.mark.parametrize("draws", [False, True])
def test_instag_generates_the_same_in_any_batch(draws: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "dataflow.operators.text_sft.instag.number_of_tags", lambda reply: float(sum(map(ord, reply)))
    )
    state = torch.random.get_rng_state()
    rows = [{"instruction": t} for t in TEXTS[4:8]]
    settings: dict[str, Any] = {
        "model_name": tiny("llama"),
        "max_new_tokens": 5,
        "do_sample": draws,
        "temperature": float(draws),
    }
    together = [r["InstagScore"] for r in records(run_rows(InstagSampleEvaluator(**settings), rows).frame)]
    alone = [
        records(run_rows(InstagSampleEvaluator(**settings), [row]).frame)[0]["InstagScore"] for row in rows
    ]
    assert together == alone
    assert len(set(together)) > 1
    assert torch.equal(torch.random.get_rng_state(), state)


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


# Models in memory


def test_an_evaluator_and_its_filter_share_a_model_until_both_are_gone() -> None:
    name = tiny("bert")
    first, second = FineWebEduSampleEvaluator(model_name=name), FineWebEduFilter(-99, model_name=name)
    assert first.scoring_model is second.scoring_model
    assert (
        first.scoring_model is not FineWebEduSampleEvaluator(model_name=name, dtype="bfloat16").scoring_model
    )
    scores(first, ["a"], "FinewebEduScore")
    assert second.scoring_model.is_loaded
    second.release()
    assert not first.scoring_model.is_loaded
    assert scores(second, ["a"], "FinewebEduScore") == scores(first, ["a"], "FinewebEduScore")


def test_a_dropped_row_tells_its_score() -> None:
    done = run_rows(
        PerplexityFilter(1, 2, tiny("gpt2-flat")), [{"raw_content": t} for t in ("some text", "a", None)]
    )
    assert done.dropped["reason"].to_list() == ["score 258", "no score", "null"]


def test_one_text_that_cannot_be_tokenised_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    op = FineWebEduSampleEvaluator(model_name=tiny("bert-flat"))
    with op.scoring_model.in_use() as loaded:
        real = loaded.tokenizer

    class Picky:
        model_max_length = POSITIONS

        def __call__(self, texts: list[str], **settings: Any) -> Any:
            if "bad" in texts:
                raise ValueError("not this one")
            return real(texts, **settings)

    monkeypatch.setattr(loaded, "tokenizer", Picky())
    done = run_rows(op, [{"raw_content": t} for t in ("good", "bad", "fine")])
    assert [r["FinewebEduScore"] for r in records(done.frame)] == [2.75, 2.75]
    assert done.failed["error"].to_list() == ["not this one"]


def test_models_that_cannot_be_loaded_stop_the_run(tmp_path: Path) -> None:
    for name in (str(tmp_path), tiny("labelled")):
        with pytest.raises(ServingError, match="cannot be loaded"):
            scores(PairQualSampleEvaluator(model_name=name, device="cpu"), ["a"], "PairQualScore")
    with pytest.raises(ServingError, match="has no weights for"):
        scores(FineWebEduSampleEvaluator(model_name=tiny("distilbert")), ["a"], "FinewebEduScore")


def test_batches_waste_little_and_keep_to_their_bound() -> None:
    lengths = [5, 1, 0, 9, 2, 30, 9, 1]
    made = list(token_batches(lengths, 20))
    assert made == [[5], [3, 6], [0, 4, 1, 7]]
    assert sorted(i for b in made for i in b) == [i for i, n in enumerate(lengths) if n]


def test_a_batch_that_is_too_large_for_the_memory_is_halved() -> None:
    from dataflow.operators._lib.scoring.batching import over_batches

    seen = []

    def score(batch: list[int]) -> list[int]:
        seen.append(len(batch))
        if len(batch) > 2:
            raise torch.cuda.OutOfMemoryError
        return [i * 10 for i in batch]

    assert over_batches([3, 3, 3, 3, 3], 100, score) == [0, 10, 20, 30, 40]
    assert seen == [5, 2, 3, 1, 2]
