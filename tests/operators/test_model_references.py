"""Scores in batches against the same worked out one row at a time, from the models themselves, without padding."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_references import TEXTS, close, ids_of, losses, network, scores, tensor, torch
from tiny_models import POSITIONS, tiny

from dataflow.core.errors import ConfigError
from dataflow.core.frames import records
from dataflow.operators.general_text.bert_score import BertSampleEvaluator
from dataflow.operators.general_text.classifier import ClassifierSampleEvaluator
from dataflow.operators.text_pt.deberta_v3 import DebertaV3SampleEvaluator
from dataflow.operators.text_pt.fineweb_edu import FineWebEduSampleEvaluator
from dataflow.operators.text_pt.pair_qual import PairQualSampleEvaluator
from dataflow.operators.text_pt.perplexity import PerplexitySampleEvaluator
from dataflow.operators.text_pt.qurating import QUALITIES, QuratingSampleEvaluator
from dataflow.operators.text_sft.deita import DeitaQualitySampleEvaluator
from dataflow.operators.text_sft.instag import InstagSampleEvaluator, number_of_tags
from dataflow.operators.text_sft.reward import RMSampleEvaluator
from dataflow.operators.text_sft.superfiltering import SuperfilteringSampleEvaluator, fitted
from dataflow.testing.cases import run_rows


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
