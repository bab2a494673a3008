"""The rule filters of general_text: their promises, and what cases cannot say."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import polars as pl
import pytest
from golden_rules import RULES
from hypothesis import given, settings
from hypothesis import strategies as st

import dataflow.kernels.statistics as kernels
from dataflow.core.errors import ConfigError, MissingDependency
from dataflow.core.operator import Operator
from dataflow.operators import general_text
from dataflow.operators._lib import tokens, word_lists
from dataflow.operators.general_text.phrase_filters import Language
from dataflow.testing import check_operator
from dataflow.testing.cases import run_rows

TOKENIZING: list[tuple[str, dict[str, Any]]] = [
    ("AlphaWordsFilter", {"threshold": 0.5, "use_tokenizer": True}),
    ("CapitalWordsFilter", {"use_tokenizer": True}),
    ("StopWordFilter", {"threshold": 0.1, "use_tokenizer": True}),
    ("BlocklistFilter", {"use_tokenizer": True}),
]
ALL = [(name, given) for name, (given, _) in RULES.items()] + TOKENIZING


def made(name: str, given: dict[str, Any]) -> Operator:
    operator: Operator = getattr(general_text, name)(**given)
    return operator


def reasons(op: Operator, *texts: str | None) -> list[str]:
    dropped = run_rows(op, [{"raw_content": t} for t in texts]).dropped
    return [str(reason) for reason in dropped["reason"]]


@pytest.mark.parametrize(("name", "given"), ALL, ids=[name for name, _ in ALL])
def test_promises(name: str, given: dict[str, Any]) -> None:
    check_operator(made(name, given))
    check_operator(made(name, given), input_key="body", output_key="label")


@pytest.mark.parametrize(("name", "given"), ALL, ids=[name for name, _ in ALL])
def test_no_row_of_numbers_or_surrogates_stops_it(name: str, given: dict[str, Any]) -> None:
    rows = [{"raw_content": cell} for cell in ("a\ud800b", 5, float("nan"), None, {"a": 1}, "text")]
    done = run_rows(made(name, given), rows)
    assert done.frame.height + done.dropped.height + done.failed.height == len(rows)
    assert done.failed.height == (0 if name == "ContentNullFilter" else 3)


@pytest.mark.parametrize(("name", "given"), ALL, ids=[name for name, _ in ALL])
def test_a_dropped_row_says_why(name: str, given: dict[str, Any]) -> None:
    assert reasons(made(name, given), None) == ["null"]
    blank = reasons(made(name, given), "", " \u3000\x1c\n")
    wanted = ": words 0" if name == "WordNumberFilter" else "blank"
    assert all(reason.endswith(wanted) for reason in blank)
    assert len(blank) == 2


def test_reasons_tell_the_measure() -> None:
    script = general_text.LineWithJavascriptFilter()
    assert reasons(script, "javascript\n" * 5) == ["threshold=3, max_share=0.5: lines 5, javascript lines 5"]
    assert reasons(general_text.ColonEndFilter(), "a:") == ["ends in: ':'"]
    assert reasons(general_text.HtmlEntityFilter(), "a &amp; b &lt;") == ["found: '&amp;'"]
    assert reasons(general_text.CapitalWordsFilter(), "NASA flew off") == [
        "threshold=0.2, use_tokenizer=False: share of words in capitals 0.333333"
    ]
    stops = general_text.StopWordFilter(0.5, False)
    assert reasons(stops, "the cat") == [
        "threshold=0.5, use_tokenizer=False, language='en': words 2, stop words 1"
    ]


def test_filters_share_their_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = []
    compute, names = kernels.GROUPS["words"]

    def counting(*given: Any) -> None:
        passes.append(len(given[0]))
        compute(*given)

    monkeypatch.setattr(kernels, "GROUPS", {**kernels.GROUPS, "words": (counting, names)})
    frame = pl.DataFrame({"__row__": ["0", "1"], "raw_content": ["one two three", "four four"]})
    for op in (
        general_text.MeanWordLengthFilter(1),
        general_text.UniqueWordsFilter(),
        general_text.CharNumberFilter(1),
    ):
        frame = op.transform(frame, op.bind()).frame
    assert passes == [2]


@pytest.mark.parametrize("name", ["AlphaWordsFilter", "StopWordFilter"])
def test_required_settings(name: str) -> None:
    with pytest.raises(ConfigError):
        getattr(general_text, name)(threshold=0.5)
    with pytest.raises(ConfigError):
        getattr(general_text, name)(use_tokenizer=False)


def test_settings_that_make_no_sense() -> None:
    for watermarks in ([], [""]):
        with pytest.raises(ConfigError):
            general_text.WatermarkFilter(watermarks=watermarks)
    with pytest.raises(ConfigError):
        general_text.BlocklistFilter(language="xx")
    with pytest.raises(ConfigError):
        general_text.StopWordFilter(0.5, False, language="xx")


@settings(max_examples=100, deadline=None)
@given(
    st.text("a.*+?()[]{}|^$\\ \n#&-~é字", min_size=1, max_size=5),
    st.text("a.*+?()[]{}|^$\\ \n#&-~é字", max_size=20),
)
def test_watermarks_are_plain_text(mark: str, text: str) -> None:
    kept = run_rows(
        general_text.WatermarkFilter(watermarks=[mark]), [{"raw_content": f"x{text}"}]
    ).frame.height
    assert kept == (mark not in f"x{text}")


def test_every_language_has_stop_words() -> None:
    assert all(word_lists.stop_words(language) for language in Language.__args__)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_block_lists(language: str) -> None:
    words = word_lists.block_list(language)
    assert len(set(words)) == len(words) > 50
    assert [w for w in words if w != w.strip().lower()] == []
    op = general_text.BlocklistFilter(language=language, threshold=0)
    assert len(reasons(op, *(f"({w.upper()})!" for w in words))) == len(words)


def test_tokens_part_full_stops_but_not_those_of_abbreviations() -> None:
    assert tokens.tokenizer()("Mr. Smith can't go. J. did.") == [
        "Mr.", "Smith", "ca", "n't", "go", ".", "J.", "did", "."
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("module", "op"),
    [
        ("nltk.tokenize", ("CapitalWordsFilter", {"use_tokenizer": True})),
        ("stop_words", ("StopWordFilter", {"threshold": 0.1, "use_tokenizer": False, "language": "fr"})),
    ],
)
def test_a_missing_library_is_named(
    module: str, op: tuple[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    word_lists.stop_words.cache_clear()
    with pytest.raises(MissingDependency, match="text"):
        run_rows(made(*op), [{"raw_content": "a"}])


def test_importing_a_filter_imports_no_heavy_library() -> None:
    code = (
        "import sys; from dataflow.operators import general_text as g; "
        "[getattr(g, name)  for name in g.__all__]; "
        "print([m for m in ('numba', 'nltk', 'stop_words', 'spacy', 'torch') if m in sys.modules])"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"
