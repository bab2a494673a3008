"""De-duplication: promises, keys, reasons, and that neither batches nor threads matter."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from general_text_duplicate_cases import CASES, FOX, NEAR_FOX, OTHER, Angles
from hypothesis import given, settings
from hypothesis import strategies as st
from text_pt_duplicate_cases import CASES as CCNET_CASES

from dataflow.core.errors import BindError, ConfigError
from dataflow.core.frames import records
from dataflow.core.operator import Operator
from dataflow.core.tables import Dataset
from dataflow.operators._lib import duplicates
from dataflow.operators._lib.duplicates import first_equal, first_near_vector, hash128
from dataflow.operators.general_text.exact_duplicates import (
    HashDeduplicateFilter,
    NgramHashDeduplicateFilter,
)
from dataflow.operators.general_text.near_duplicates import (
    MinHashDeduplicateFilter,
    SimHashDeduplicateFilter,
    best_bands,
)
from dataflow.operators.general_text.semantic_duplicates import SemDeduplicateFilter
from dataflow.operators.text_pt.ccnet_duplicates import CCNetDeduplicateFilter, ParagraphDeduplicateRefiner
from dataflow.pipeline import PipelineABC
from dataflow.runtime import feeding
from dataflow.storage import FileStorage
from dataflow.testing import check_operator, run_rows

FILTERS: list[Operator] = [
    HashDeduplicateFilter(),
    NgramHashDeduplicateFilter(),
    MinHashDeduplicateFilter(threshold=0.7),
    MinHashDeduplicateFilter(threshold=0.7, verify=False, keep="longest"),
    SimHashDeduplicateFilter(bound=0.15),
    SemDeduplicateFilter(embedding_serving=Angles()),
    CCNetDeduplicateFilter(),
]
NAMES = [type(op).__name__ for op in FILTERS]


@pytest.mark.parametrize("case", [*CASES, *CCNET_CASES], ids=lambda c: c.name)
def test_promises(case: Any) -> None:
    check_operator(case.op, **case.keys)


def corpus(rows: int = 400) -> list[str | None]:
    """Texts of which many are like earlier ones: a word, a digit or the case of a letter apart."""
    draw, made = random.Random(3), list[str | None]()
    for _ in range(rows):
        old = draw.choice(made) if made else None
        if old and old.strip() and draw.random() < 0.4:
            parts = old.split()
            for _ in range(draw.randint(0, 2)):
                parts[draw.randrange(len(parts))] = draw.choice(["New", "words", "7", "8"])
            made.append(" ".join(parts))
        elif draw.random() < 0.1:
            made.append(draw.choice([None, "", " ", "x", "1"]))
        else:
            made.append(
                " ".join(f"{draw.choice('abc')}{draw.randrange(300)}." for _ in range(draw.randint(3, 40)))
            )
    return made


@pytest.mark.parametrize("op", FILTERS, ids=NAMES)
def test_batches_do_not_matter(op: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame({"t": corpus()})
    binding = op.bind(input_key="t")
    whole = op.decide(iter([frame]), binding)
    assert 20 < len(whole.rows) < frame.height or isinstance(op, SemDeduplicateFilter)
    for size in (1, 7, 150):
        parts = op.decide(frame.iter_slices(size), binding)
        assert parts.rows.tolist() == whole.rows.tolist()
        assert parts.metrics == whole.metrics
    monkeypatch.setattr(duplicates, "ROWS_AT_ONCE", 13)
    assert op.decide(iter([frame]), binding).rows.tolist() == whole.rows.tolist()


def test_paragraphs_may_come_in_any_batches() -> None:
    op, texts = ParagraphDeduplicateRefiner(), [t and t.replace(" ", "\n") for t in corpus(100)]
    frame = pl.DataFrame({"raw_content": texts})
    binding = op.bind()
    expected = run_rows(op, [{"raw_content": t} for t in texts]).frame["raw_content"].to_list()
    for size in (1, 9):
        chosen = op.decide(frame.iter_slices(size), binding)
        made = [op.enact(frame[i : i + size], i, chosen, binding) for i in range(0, frame.height, size)]
        assert pl.concat(made)["raw_content"].to_list() == expected
    said = [line for text in expected if text for line in text.split("\n") if line]
    assert len(said) == len(set(said)) > 10


class Corpus(PipelineABC):
    """A run of two filters, part by part."""

    def __init__(self, source: Path, cache: Path) -> None:
        super().__init__()
        self.storage = FileStorage(
            str(source), cache_path=str(cache), file_name_prefix="corpus", cache_type="jsonl"
        )
        self.exact = HashDeduplicateFilter()
        self.near = MinHashDeduplicateFilter(threshold=0.7)

    def forward(self) -> None:
        self.exact.run(self.storage.step(), input_key="t")
        self.near.run(self.storage.step(), input_key="t", input_score_key="n", output_key="kept")


@pytest.mark.parametrize("part_rows", [37, 50_000])
def test_a_pipeline_makes_what_the_operators_make(
    part_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "PART_ROWS", part_rows)
    rows = [{"t": t, "n": i} for i, t in enumerate(corpus())]
    source = tmp_path / "corpus.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = Corpus(source, tmp_path / "cache").run(progress=False)
    for op, keys in (
        (HashDeduplicateFilter(), {}),
        (MinHashDeduplicateFilter(threshold=0.7), {"input_score_key": "n"}),
    ):
        rows = run_rows(op, rows, input_key="t", **keys).frame.drop("__row__").to_dicts()
    assert [(r["t"], r["n"], r["kept"]) for r in records(done.table)] == [(r["t"], r["n"], 1) for r in rows]


# Keys


@pytest.mark.parametrize("op", FILTERS, ids=NAMES)
def test_the_text_is_named_in_one_way(op: Operator) -> None:
    for keys in ({}, {"input_keys": []}, {"input_key": "t", "input_keys": ["t"]}):
        with pytest.raises(
            BindError, match=r"needs either input_key.* or input_keys.*(neither was|both were) given"
        ):
            op.bind(**keys)
    rows = [{"t": t} for t in ("12.5", "x", "12.5")]
    one, several = run_rows(op, rows, input_key="t"), run_rows(op, rows, input_keys=["t"])
    assert one.frame["t"].to_list() == several.frame["t"].to_list() == ["12.5", "x"]
    assert one.frame.columns == several.frame.columns == ["__row__", "t"]


def test_names_of_several_columns_count() -> None:
    rows = [{"q": "x", "a": "b"}, {"q": "x\na:\nb", "a": None}, {"q": None, "a": "x"}, {"q": "x", "a": None}]
    done = run_rows(HashDeduplicateFilter(), rows, input_keys=["q", "a"])
    assert done.dropped["row"].to_list() == ["1"]


def test_a_dropped_row_is_told_which_it_repeats() -> None:
    rows = [{"t": t, "s": s} for t, s in [(None, 0), (OTHER, 1), (FOX, 2), (NEAR_FOX, 9), (OTHER, 1)]]
    op = MinHashDeduplicateFilter(threshold=0.7)
    done = run_rows(op, rows, input_key="t", input_score_key="s")
    assert done.dropped["reason"].to_list() == ["near duplicate: of row 3", "near duplicate: of row 1"]
    assert done.metrics["duplicates"] == done.metrics["sets"] == 2
    one, two = done.metrics["clusters"]
    assert one["kept"] == {"row": 1, "text": OTHER[:199] + "…" if len(OTHER) > 200 else OTHER}
    assert [(c["rows"], c["dropped"][0]["row"]) for c in (one, two)] == [(2, 4), (2, 2)]
    assert one["dropped"][0]["similarity"] == 1
    assert 0.7 <= two["dropped"][0]["similarity"] < 1


def test_a_lone_surrogate_is_no_reason_to_be_alike() -> None:
    rows = [{"t": t} for t in ("\ud800", "\ud801", "\ud800", "plain", "plain")]
    done = run_rows(HashDeduplicateFilter(), rows, input_key="t")
    assert done.dropped["row"].to_list() == ["2", "4"]


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "csv", "arrow"])
def test_rows_of_a_reference_file_are_repeated_by_none(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"there.{kind}"
    there = pl.DataFrame({"more": [1, 2, 3], "t": [OTHER, None, OTHER]})
    write = {"jsonl": "write_ndjson", "parquet": "write_parquet", "csv": "write_csv", "arrow": "write_ipc"}
    getattr(there, write[kind])(path)
    rows = [{"t": t, "s": s} for t, s in [(FOX, 1), (OTHER + "!", 9), (None, 1), (NEAR_FOX, 5), (OTHER, 1)]]
    near = MinHashDeduplicateFilter(threshold=0.7, reference=str(path))
    for keys, kept in (({}, [0, 2]), ({"input_score_key": "s"}, [2, 3])):
        done = run_rows(near, rows, input_key="t", **keys)
        assert done.frame["t"].to_list() == [rows[i]["t"] for i in kept]
        assert done.dropped["reason"].to_list().count("near duplicate: of reference row 0") == 2
    exact = run_rows(HashDeduplicateFilter(reference=str(path)), rows, input_key="t")
    assert exact.dropped["reason"].to_list() == ["duplicate: of reference row 0"]
    assert exact.metrics["duplicates"] == exact.metrics["sets"] == 1
    assert exact.metrics["clusters"][0]["kept"] == {"row": -3, "text": None}


def test_a_reference_file_is_told_when_it_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "there.jsonl"
    path.write_text('{"text": "x"}\n')
    for named, message in ((str(path), "no column 't'; there are text"), ("none.jsonl", "is no file")):
        with pytest.raises(ConfigError, match=message):
            run_rows(HashDeduplicateFilter(reference=named), [{"t": "x"}], input_key="t")


# Settings


def test_settings_may_be_given_by_position() -> None:
    assert MinHashDeduplicateFilter(64, 0.5, False, 3).ngram == 3
    assert SimHashDeduplicateFilter(32, 0.2).bound == 0.2
    assert NgramHashDeduplicateFilter(4, "sha256", 2).diff_size == 2
    assert SemDeduplicateFilter(0.1, "m", "c", "cpu").device == "cpu"


def test_settings_that_cannot_be() -> None:
    for make in (
        lambda: HashDeduplicateFilter("crc32"),
        lambda: MinHashDeduplicateFilter(num_perm=8, bands=9),
        lambda: CCNetDeduplicateFilter(12),
    ):
        with pytest.raises(ConfigError):
            make()


def test_bands_follow_from_the_threshold() -> None:
    for threshold in (0.5, 0.7, 0.9):
        bands, width = best_bands(128, threshold, 9.0)
        assert bands * width <= 128
        assert (1 - (1 - (threshold + 0.05) ** width) ** bands) > 0.9
    found = MinHashDeduplicateFilter(threshold=1.0).shape
    assert found[0] * found[1] <= 128
    assert MinHashDeduplicateFilter(bands=10).shape == (10, 12)


def test_embeddings_need_a_serving() -> None:
    op = SemDeduplicateFilter(model_name="some/model")
    assert [name for name, _ in op.check(op.bind(input_key="t"))] == ["embedding_serving"]
    with pytest.raises(ConfigError, match=r"embedding_serving.*some/model.*LocalEmbeddingServing"):
        run_rows(op, [{"t": "x"}], input_key="t")


# Parts


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=40), st.integers(1, 5))
def test_vectors_are_near_a_kept_one_alone(angles: list[int], block: int) -> None:
    radians = np.radians(np.array(angles, np.float64) * 4)
    vectors = np.column_stack([np.cos(radians), np.sin(radians)]).astype(np.float32)
    kept, expected = list[int](), list[int]()
    for row, degrees in enumerate(angles):
        near = next((k for k in kept if abs(angles[k] - degrees) <= 2), row)
        expected.append(near)
        if near == row:
            kept.append(row)
    old, duplicates.BLOCK = duplicates.BLOCK, block
    try:
        assert first_near_vector(vectors, float(np.cos(np.radians(10)))).tolist() == expected
    finally:
        duplicates.BLOCK = old


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_the_first_of_equal_hashes(rows: list[tuple[int, int]]) -> None:
    assert first_equal(np.array(rows, np.uint64)).tolist() == [rows.index(row) for row in rows]


def test_the_two_halves_of_a_hash_differ() -> None:
    one, two = hash128(pl.Series([f"text {i}" for i in range(1000)])).T
    bits = np.unpackbits((one ^ two).view(np.uint8).reshape(-1, 8), axis=1).mean(axis=0)
    assert len({*one.tolist(), *two.tolist()}) == 2000
    assert ((bits > 0.4) & (bits < 0.6)).all()
