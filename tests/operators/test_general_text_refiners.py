"""The refiners of general_text against slow twins, on any text; and their promises."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from itertools import groupby

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow.core.errors import ConfigError
from dataflow.core.ports import In
from dataflow.kernels.rewriting import collapsed_repeats, collapsed_spaces
from dataflow.operators._lib.text_refiner import TextRefiner, word_list
from dataflow.operators._lib.word_lists import stop_words
from dataflow.operators.general_text.html_refiners import HtmlEntityRefiner, HtmlUrlRemoverRefiner
from dataflow.operators.general_text.normalisation import TextNormalizationRefiner
from dataflow.operators.general_text.reference_refiners import ReferenceRemoverRefiner, RemoveImageRefsRefiner
from dataflow.operators.general_text.space_refiners import (
    LowercaseRefiner,
    RemoveExtraSpacesRefiner,
    RemoveRepetitionsPunctuationRefiner,
)
from dataflow.operators.general_text.spelling import SpellingCorrectionRefiner
from dataflow.operators.general_text.symbol_refiners import (
    RemoveEmojiRefiner,
    RemoveEmoticonsRefiner,
    RemoveNumberRefiner,
    RemovePunctuationRefiner,
)
from dataflow.operators.general_text.word_refiners import (
    RemoveContractionsRefiner,
    RemoveStopwordsRefiner,
    StemmingLemmatizationRefiner,
)
from dataflow.testing import check_operator
from dataflow.testing.cases import run_rows

REFINERS: list[TextRefiner] = [
    HtmlEntityRefiner(),
    HtmlUrlRemoverRefiner(),
    LowercaseRefiner(),
    ReferenceRemoverRefiner(),
    RemoveContractionsRefiner(),
    RemoveEmojiRefiner(),
    RemoveEmoticonsRefiner(),
    RemoveExtraSpacesRefiner(),
    RemoveExtraSpacesRefiner(keep_newlines=True),
    RemoveImageRefsRefiner(),
    RemoveNumberRefiner(),
    RemovePunctuationRefiner(unicode_punctuation=True),
    RemoveRepetitionsPunctuationRefiner(),
    RemoveStopwordsRefiner(),
    SpellingCorrectionRefiner(),
    StemmingLemmatizationRefiner(),
    StemmingLemmatizationRefiner(method="lemmatization"),
    TextNormalizationRefiner(),
]
SPACES = " \t\n\r\x0b\x0c\x1c\x85\u00a0\u2028\u2029\u3000"
PARTS = st.sampled_from(
    [
        *SPACES, "\r\n", *".,;:!?…-_()<>{}[]&=/$#*'’|\\", "a", "B", "é", "中", "ʼ", "1", "٣", "²", "😀", "👨", "\u200d", "\ufe0f",
        "\u20e3", "🇧", "🏽", "🫠", "©", "♀", "◌\u0301", "the", "of", "cat", "don't", "I'd", "it's", "can", "ain", "gonna", "lt", "amp",
        "ref", "cite", "http://", "x.org", "images", ":)", ":-(", "^_^", "T_T", "<3", "2024", "31", "May", "v", "USD", "million", "US",
        "script", "<b>", "</b>", "<!--", "-->", "图", "一二三四五", "U+2605", "deadbeef.png", "&#60;",
    ]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=40), st.lists(PARTS, max_size=16).map("".join))


def refined(op: TextRefiner, *texts: str | None) -> list[str | None]:
    done = run_rows(op, [{"raw_content": t} for t in texts])
    assert not done.failed.height
    return done.frame["raw_content"].to_list()


class Picky(TextRefiner):
    """Turns texts with an x around, and cannot stand one with a y beside."""

    input_key = In("raw_content")

    def may_change(self, text: pl.Expr) -> pl.Expr:
        return text.str.contains("x", literal=True)

    def map(self, text: str) -> str:
        asked.append(text)
        if "y" in text:
            raise ValueError("a y")
        return text[::-1]


asked: list[str] = []


@pytest.mark.parametrize("name", ["raw_content", "^raw.*$", "*"])
def test_a_text_that_fails_is_the_only_one_lost_and_each_is_refined_once(name: str) -> None:
    asked.clear()
    texts = ["ab", "abx", None, "xy", "cdx", "ef", "yx"]
    done = run_rows(Picky(), [{name: t, "n": i} for i, t in enumerate(texts)], input_key=name)
    assert done.frame[name].to_list() == ["ab", "xba", None, "xdc", "ef"]
    assert done.frame["n"].to_list() == [0, 1, 2, 4, 5]
    assert done.failed["row"].to_list() == ["3", "6"]
    assert asked == ["abx", "xy", "cdx", "yx"]


def plain_spaces(text: str) -> str:
    return " ".join(text.split())


def plain_lines(text: str) -> str:
    runs = re.split(r"(\s+)", text.strip())

    def instead(run: str) -> str:
        breaks = len(re.findall("\r\n|[\n\r\x85\u2028\u2029]", run))
        return "\n" * min(breaks, 2) or " "

    return "".join(instead(r) if i % 2 else r for i, r in enumerate(runs))


def plain_repeats(text: str) -> str:
    made = []
    for character, run in groupby(text):
        once = unicodedata.category(character)[0] in "PS" and not "\U0001f1e6" <= character <= "\U0001f1ff"
        made.append(character if once else "".join(run))
    return "".join(made)


def plain_numbers(text: str) -> str:
    return re.sub(
        "[0-9]",
        "",
        "".join("0" if c.isdigit() else c for c in text)
        .replace("0\ufe0f\u20e3", "0")
        .replace("0\u20e3", "0"),
    )


def plain_punctuation(text: str) -> str:
    return "".join(c for c in text if not (c.isascii() and c.isprintable() and not c.isalnum() and c != " "))


def plain_emoji(text: str) -> bool:
    """Whether no emoji is left."""
    return not re.search(
        "[\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f900-\U0001f9ff\U0001f1e6-\U0001f1ff\ufe0f]", text
    )


MARKS_AND_SPACES = {
    "Pc",
    "Pd",
    "Pe",
    "Pf",
    "Pi",
    "Po",
    "Ps",
    "Sc",
    "Sk",
    "Sm",
    "So",
    "Zl",
    "Zp",
    "Zs",
    "Cc",
    "Cf",
}

TWINS: list[tuple[TextRefiner, Callable[[str], str]]] = [
    (RemoveExtraSpacesRefiner(), plain_spaces),
    (RemoveExtraSpacesRefiner(keep_newlines=True), plain_lines),
    (RemoveRepetitionsPunctuationRefiner(), plain_repeats),
    (RemoveNumberRefiner(), plain_numbers),
    (RemovePunctuationRefiner(), plain_punctuation),
]


@pytest.mark.parametrize(("op", "twin"), TWINS, ids=lambda x: type(x).__name__)
@settings(max_examples=300, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_equals_its_slow_twin(op: TextRefiner, twin: Callable[[str], str], texts: list[str]) -> None:
    assert refined(op, *texts) == [twin(t) for t in texts]


@pytest.mark.parametrize(("op", "twin"), TWINS[:3], ids=lambda x: type(x).__name__)
def test_every_mark_and_space_alone_twice_and_at_the_ends(
    op: TextRefiner, twin: Callable[[str], str]
) -> None:
    every = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) in MARKS_AND_SPACES]
    texts = [
        t
        for c in every
        for t in (
            c,
            c + c,
            c * 3,
            f"a{c}b",
            f"{c}a",
            f"a{c}",
            f"a{c}{c}b",
            f"a{c}{c}",
            f"é{c}é",
            f"a{c}\n{c}b",
        )
    ]
    assert refined(op, *texts) == [twin(t) for t in texts]


SPARING = [op for op in REFINERS if type(op).may_change is not TextRefiner.may_change]


@pytest.mark.parametrize("op", SPARING, ids=lambda x: type(x).__name__)
@settings(max_examples=300, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=6))
def test_texts_that_are_spared_would_not_have_changed(op: TextRefiner, texts: list[str]) -> None:
    always = type(op).model_construct(**dict(op))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(op), "may_change", TextRefiner.may_change)
        whole = refined(always, *texts)
    assert refined(op, *texts) == whole


def test_spared_texts_keep_their_places_among_those_that_change() -> None:
    texts = ["a", None, "<b>b</b>", "", "c", "http://x.org d", None, "<i>"]
    assert refined(HtmlUrlRemoverRefiner(), *texts) == ["a", None, "b", "", "c", " d", None, ""]
    assert refined(HtmlEntityRefiner(html_entities=()), "&lt;", "b", None) == ["&lt;", "b", None]
    rows = [{"body": "a"}, {"body": "<b>b</b>"}]
    done = run_rows(HtmlUrlRemoverRefiner(), rows, input_key="body", output_key="clean").frame
    assert (done["body"].to_list(), done["clean"].to_list()) == (["a", "<b>b</b>"], ["a", "b"])


IDEMPOTENT = [op for op in REFINERS if not isinstance(op, (HtmlEntityRefiner, HtmlUrlRemoverRefiner, ReferenceRemoverRefiner, RemoveImageRefsRefiner, StemmingLemmatizationRefiner, SpellingCorrectionRefiner))]  # fmt: skip


@pytest.mark.parametrize("op", IDEMPOTENT, ids=lambda op: type(op).__name__)
@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_once_is_enough(op: TextRefiner, text: str) -> None:
    once = refined(op, text)
    assert refined(op, *once) == once


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_no_emoji_is_left(text: str) -> None:
    (made,) = refined(RemoveEmojiRefiner(), text)
    assert made is not None
    assert plain_emoji(made)
    kept = [c for c in text if c.isalnum() and not unicodedata.category(c).startswith("S")]
    gone = [c for c in kept if c not in made and c not in "0123456789"]
    assert gone == []


def test_numbers_are_what_python_calls_digits() -> None:
    every = [
        chr(p) for p in range(0x110000) if chr(p).isdigit() or unicodedata.category(chr(p)) in ("Nl", "No")
    ]
    assert refined(RemoveNumberRefiner(), *every) == ["" if c.isdigit() else c for c in every]


def test_long_columns_are_rewritten_by_many_threads() -> None:
    texts = pl.Series("t", [None, "", *(f"  é {i}!!  \n\n中 .. " * 100 for i in range(1000))])
    given = texts.to_list()
    assert collapsed_spaces(texts).to_list() == [None if t is None else plain_spaces(t) for t in given]
    assert collapsed_repeats(texts).to_list() == [None if t is None else plain_repeats(t) for t in given]
    assert collapsed_spaces(texts[5:9]).to_list() == [plain_spaces(t) for t in given[5:9] if t is not None]


@pytest.mark.parametrize("emoticon", word_list("emoticons.txt"))
def test_each_emoticon_goes_only_where_it_stands_alone(emoticon: str) -> None:
    alone, inside = refined(RemoveEmoticonsRefiner(), f"a {emoticon} b", f"a{emoticon}b")
    assert (alone, inside) == ("a  b", f"a{emoticon}b")


@pytest.mark.parametrize("line", [w for w in word_list("contractions_en.txt") if not w.startswith("*")])
def test_each_contraction_is_written_out(line: str) -> None:
    short, _, long = line.partition("\t")
    lower, upper, curly = refined(
        RemoveContractionsRefiner(), f"x {short}.", f"x {short.upper()}.", f"x {short.replace(chr(39), '’')}."
    )
    assert (lower, upper, curly) == (f"x {long}.", f"x {long.upper()}.", f"x {long}.")


def test_stop_words_are_function_words() -> None:
    assert {"the", "of", "don't"} <= set(stop_words("en"))
    assert not {"bill", "computer", "home"} & set(stop_words("en"))
    assert stop_words("english") == stop_words("en")
    with pytest.raises(ConfigError, match="klingon"):
        RemoveStopwordsRefiner(lang="klingon")


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match="no entity 'nosuch'"):
        HtmlEntityRefiner(html_entities=("lt", "nosuch"))
    with pytest.raises(ConfigError, match="prefix_length"):
        SpellingCorrectionRefiner(max_edit_distance=3, prefix_length=3)
    with pytest.raises(ValueError, match="stemming"):
        StemmingLemmatizationRefiner(method="cutting")


def test_a_dictionary_of_ones_own(tmp_path: object) -> None:
    file = tmp_path / "words.txt"  # type: ignore[operator]
    file.write_text("dataflow 10\nwhale 5\n", "utf-8")
    op = SpellingCorrectionRefiner(dictionary_path=str(file))
    assert refined(op, "a datfalow of whlae and things") == ["a dataflow of whale and things"]


def test_a_dictionary_that_is_nowhere() -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        run_rows(SpellingCorrectionRefiner(dictionary_path="nowhere.txt"), [{"raw_content": "a text"}])


def test_in_place_unless_a_column_is_named() -> None:
    rows = [{"body": "A  B"}]
    op = RemoveExtraSpacesRefiner()
    assert run_rows(op, rows, input_key="body").frame["body"].to_list() == ["A B"]
    done = run_rows(op, rows, input_key="body", output_key="clean").frame
    assert (done["body"].to_list(), done["clean"].to_list()) == (["A  B"], ["A B"])


HOSTILE = [
    "<!-- <b> ", "<script> <b>", "<a x=\" <b> '", "<ref ", "<ref>\n", "<ref name='", "{{cite ", "{{", "[![", "![](", "'ve", "a'", "((((",
    ":) ", "http://(", "&amp;", "1/", "$1,000", "a-", "😀\u200d", "\"the ",
]  # fmt: skip


@pytest.mark.parametrize("op", REFINERS, ids=lambda op: type(op).__name__)
def test_no_text_takes_long(op: TextRefiner) -> None:
    """Thirty thousand of them would not end in time, if the work grew with the square of the text."""
    texts = [part * 30_000 for part in HOSTILE]
    texts += ["a" + "-" * 60_000 + "b", "(" * 60_000 + "the", " " * 60_000 + "Abc", "x" * 60_000 + "'s"]
    assert len(refined(op, *texts)) == len(texts)


DELETERS = [
    HtmlEntityRefiner(),
    HtmlUrlRemoverRefiner(),
    ReferenceRemoverRefiner(),
    RemoveContractionsRefiner(),
    RemoveEmojiRefiner(),
    RemoveEmoticonsRefiner(),
    RemoveImageRefsRefiner(),
    RemoveNumberRefiner(),
    RemovePunctuationRefiner(unicode_punctuation=True),
    RemoveRepetitionsPunctuationRefiner(),
    TextNormalizationRefiner(),
]
PLAIN = st.text(st.sampled_from("abcdefxyzABCXYZéßΣжя中文字 \n\t"), max_size=60)


@pytest.mark.parametrize("op", DELETERS, ids=lambda op: type(op).__name__)
@settings(max_examples=100, deadline=None)
@given(text=PLAIN)
def test_letters_and_spaces_stay(op: TextRefiner, text: str) -> None:
    assert refined(op, text) == [text]


MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


@settings(max_examples=200, deadline=None)
@given(day=st.dates(date(1969, 1, 1), date(2068, 12, 31)))
def test_every_date_in_every_form(day: date) -> None:
    d, m, y, name = day.day, day.month, day.year, MONTHS[day.month - 1]
    short = f"{name[:3]}{'' if name == 'May' else '.'}"
    forms = [
        *(f"{d}{mark}{m}{mark}{y}" for mark in "/."),
        *(f"{d:02}{mark}{m:02}{mark}{y % 100:02}" for mark in "/."),
        *(f"{w} {d}, {y}" for w in (name, name.upper(), short)),
        *(f"{d} {w} {y}" for w in (name, short)),
        f"{d}th of {name}, {y}",
    ]
    made = refined(TextNormalizationRefiner(), *(f"on {form}, or ({form})." for form in forms))
    assert made == [f"on {day.isoformat()}, or ({day.isoformat()})."] * len(forms)
    american = TextNormalizationRefiner(day_first=False)
    assert refined(american, f"{m}/{d}/{y}") == [day.isoformat()]


@given(cents=st.integers(0, 10**9))
def test_every_amount(cents: int) -> None:
    amount = f"{cents / 100:,.2f}"
    assert refined(TextNormalizationRefiner(), f"it was ${amount}.") == [f"it was {amount} USD."]


WORDS = st.lists(st.sampled_from(["the", "Of", "AND", "don't", "don’t", "whale", "Computer", "bill", "中", "42"]), max_size=8)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(lines=st.lists(WORDS, max_size=4))
def test_stop_words_of_plain_lines(lines: list[list[str]]) -> None:
    stop = {"the", "of", "and", "don't", "don’t"}
    expected = "\n".join(" ".join(w for w in line if w.lower() not in stop) for line in lines)
    assert refined(RemoveStopwordsRefiner(), "\n".join(map(" ".join, lines))) == [expected]


@pytest.mark.parametrize("op", REFINERS, ids=lambda op: type(op).__name__)
def test_promises(op: TextRefiner) -> None:
    check_operator(op)
