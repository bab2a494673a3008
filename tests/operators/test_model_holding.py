"""Models in memory: shared, let go of, loaded with care; and batches that fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from model_references import TEXTS, scores, torch
from tiny_models import POSITIONS, tiny

from dataflow.core.errors import ServingError
from dataflow.core.frames import records
from dataflow.operators._lib.scoring.batching import token_batches
from dataflow.operators.general_text.vendi import VendiDatasetEvaluator
from dataflow.operators.text_pt.fineweb_edu import FineWebEduFilter, FineWebEduSampleEvaluator
from dataflow.operators.text_pt.pair_qual import PairQualSampleEvaluator
from dataflow.operators.text_pt.perplexity import PerplexityFilter
from dataflow.pipeline import PipelineABC
from dataflow.runtime.bounds import bounds_of
from dataflow.storage import FileStorage
from dataflow.testing.cases import run_rows


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
    assert done.dropped["reason"].to_list() == ["PerplexityScore above 2: 258", "no score", "null"]
    assert done.measured is not None
    assert done.measured.rows() == [(pytest.approx(258), False)]


def test_the_bounds_of_a_score_are_no_other_settings() -> None:
    op = PerplexityFilter(1, 300, tiny("gpt2-flat"), max_length=200)
    assert bounds_of(op, {100.0: 1, 258.0: 2, 500.0: 1}) == {"min_score": 1, "max_score": 300}


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


def test_a_run_lets_go_of_models_that_later_steps_do_not_need(tmp_path: Path) -> None:
    class Scored(PipelineABC):
        def __init__(self) -> None:
            super().__init__()
            self.storage = FileStorage(
                str(tmp_path / "in.jsonl"),
                cache_path=str(tmp_path / "cache"),
                file_name_prefix="p",
                cache_type="jsonl",
            )
            self.first = FineWebEduSampleEvaluator(model_name=tiny("bert-flat"))
            self.whole = VendiDatasetEvaluator(
                model_name=tiny("distilbert"), simcse_model_name=tiny("distilbert")
            )
            self.last = PerplexityFilter(100, 300, tiny("gpt2-flat"))

        def forward(self) -> None:
            self.first.run(self.storage.step(), input_key="raw_content")
            self.whole.run(self.storage.step(), input_key="raw_content")
            self.last.run(self.storage.step(), input_key="raw_content")

    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"raw_content": t}) + "\n" for t in TEXTS))
    pipeline = Scored()
    pipeline.compile()
    pipeline.forward()
    made = [json.loads(line) for line in (tmp_path / "cache" / "p_step3.jsonl").read_text().splitlines()]
    assert [r["raw_content"] for r in made] == TEXTS[1:]
    assert {r["FinewebEduScore"] for r in made} == {2.75}
    assert not pipeline.first.scoring_model.is_loaded
    assert not pipeline.whole.scoring_model.is_loaded
    assert pipeline.last.scoring_model.is_loaded
