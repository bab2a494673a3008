"""The published rules for web pages, and repetition: the edge of every rule."""

from __future__ import annotations

from dataflow.operators.general_text.repetition import GopherRepetitionFilter
from dataflow.operators.general_text.web_quality import (
    C4LineRefiner,
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
)
from dataflow.testing import Case, keeps, maps

PROSE = "The man that we have met goes to the sea."
NONE = {
    "max_duplicate_lines": 1, "max_duplicate_paragraphs": 1, "max_duplicate_line_chars": 1, "max_duplicate_paragraph_chars": 1,
    "max_top_2gram": 1, "max_top_3gram": 1, "max_top_4gram": 1, "max_duplicate_5grams": 1, "max_duplicate_6grams": 1,
    "max_duplicate_7grams": 1, "max_duplicate_8grams": 1, "max_duplicate_9grams": 1, "max_duplicate_10grams": 1,
}  # fmt: skip


def lines(*counts: int) -> str:
    """Lines of ten characters, each as often as said."""
    return "\n".join(f"line {i:05d}" for i, count in enumerate(counts) for _ in range(count))


def repetition(rule: str, bound: float, kept: list[str], lost: list[str], *, shown: bool = False) -> Case:
    """A case of one rule alone."""
    return keeps(GopherRepetitionFilter(**(NONE | {rule: bound})), [*kept, *lost], kept, shown=shown)


def grams(n: int) -> str:
    """Twenty words of one character, of which `n` come again: `n` of `20 + n` characters."""
    words = [chr(ord("a") + i) for i in range(20)]
    return " ".join(words + words[:n])


QUALITY = [
    keeps(
        GopherQualityFilter(min_words=10, max_words=11),
        [PROSE, f"{PROSE} And", f"{PROSE} And more", PROSE[:-5], "", "   ", None],
        [PROSE, f"{PROSE} And"],
    ),
    keeps(GopherQualityFilter(), [" ".join([PROSE] * 5), " ".join([PROSE] * 4)], [" ".join([PROSE] * 5)]),
    # the mean is of what is left of words without the punctuation around them
    keeps(
        GopherQualityFilter(min_words=2, min_stop_words=0, min_mean_word_chars=3, max_mean_word_chars=5),
        ["abc, (abc)!", "abcde abcde", "ab abc", "abcde abcdef", "-- --"],
        ["abc, (abc)!", "abcde abcde"],
        shown=False,
    ),
    keeps(
        GopherQualityFilter(min_words=0, min_stop_words=0, max_symbol_ratio=0.5),
        ["#one two", "##one two", "one... two", "one… two… and", "... … one two six"],
        ["#one two", "one... two"],
        shown=False,
    ),
    keeps(
        GopherQualityFilter(min_words=0, min_stop_words=0, max_bullet_lines=0.5, min_lettered_words=0),
        ["- one\ntwo", "• one\n\n* two", " - one\n\t- two\nthree"],
        ["- one\ntwo"],
        shown=False,
    ),
    keeps(
        GopherQualityFilter(min_words=0, min_stop_words=0, max_ellipsis_lines=0.5, max_symbol_ratio=9),
        ["one two three...\nfour", "one…\ntwo..."],
        ["one two three...\nfour"],
        shown=False,
    ),
    keeps(
        GopherQualityFilter(min_words=0, min_stop_words=0, min_lettered_words=0.5),
        ["word 1234", "word 1234 5678", "one4 été", "一二三 1984"],
        ["word 1234", "one4 été", "一二三 1984"],
        shown=False,
    ),
    # two different ones, in any case
    keeps(
        GopherQualityFilter(min_words=0),
        ["the cats, THE dogs", "The cats, AND dogs", "theatre andes bee", "Nothing like these"],
        ["The cats, AND dogs"],
        shown=False,
    ),
]
REPETITION = [
    keeps(
        GopherRepetitionFilter(),
        [PROSE, f"{PROSE}\n{PROSE}", "so it is and so it is and so it is", "one", "", None],
        [PROSE, "one", ""],
    ),
    repetition("max_duplicate_lines", 0.3, [lines(2, 2, 2, 1, 1, 1, 1), lines(1, 1)], [lines(3, 2, 2, 1, 1, 1)]),
    repetition("max_duplicate_line_chars", 0.2, [lines(2, 1, 1, 1)], [lines(2, 1, 1), f"{lines(1, 1, 1)}\n{PROSE}\n{PROSE}"]),
    repetition("max_duplicate_paragraphs", 0.25, ["a\n\nb\n \nc\n\n\na", "a\na\na\na"], ["a\n\nb\n\na", "a b\n\na  b"]),
    repetition("max_duplicate_paragraph_chars", 0.25, ["aa\n\nbbbb\n\naa", "aa\naa"], ["aa\n\nbbb\n\naa"]),
    # each character once where n-grams overlap, so that no share is over 1
    repetition("max_top_2gram", 0.4, ["a b c d e a b f g h"], ["a b c d e a b f g", "a a a a", "A B, c d e (a B) f g"]),
    repetition("max_top_3gram", 0.6, ["a b c d e a b c f g"], ["a b c d a b c f g"]),
    repetition("max_top_4gram", 0.8, ["a b c d e a b c d f"], ["a b c d e a b c d"]),
    *(repetition(f"max_duplicate_{n}grams", n / (20 + n), [grams(n), grams(n - 1)], [grams(n + 1)]) for n in range(5, 11)),
    Case(GopherRepetitionFilter(), [{"t": PROSE}], [{"t": PROSE, "kept": 1}], {"input_key": "t", "output_key": "kept"}, dropped=0),
]  # fmt: skip
FINEWEB = [
    keeps(
        FineWebQualityFilter(min_terminal_lines=0.5, max_short_lines=0.5),
        [f"{PROSE}\nmenu", "menu\nlogin", f"{PROSE}\nOK.\nNo.", "", " \n", None],
        [f"{PROSE}\nmenu"],
    ),
    # thirty characters are a short line, white space around them aside
    keeps(
        FineWebQualityFilter(max_short_lines=0, max_newline_ratio=9),
        ["x" * 28 + " .", "x" * 30 + ".", "  " + "x" * 29 + ".  "],
        ["x" * 30 + "."],
        shown=False,
    ),
    keeps(
        FineWebQualityFilter(max_duplicate_line_chars=0.5, max_short_lines=1, max_newline_ratio=9),
        ["One.\nOne.", "One.\nOne.\nOne."],
        ["One.\nOne."],
        shown=False,
    ),
    keeps(
        FineWebQualityFilter(max_short_lines=1, max_duplicate_line_chars=1, max_newline_ratio=0.5),
        ["One two.\n", "One two.\n\n"],
        ["One two.\n"],
        shown=False,
    ),
]
FIVE = "One is. Two is! Is three? “Four is.” Five (is.)"
C4 = [
    keeps(
        C4QualityFilter(),
        [FIVE, FIVE.replace("!", ","), f"{FIVE} {{", f"{FIVE} Lorem Ipsum", "1.2.3.4.5.6", "", None],
        [FIVE],
    ),
    keeps(
        C4QualityFilter(min_sentences=0, remove_lorem_ipsum=False, remove_curly_brackets=False),
        ["{ lorem ipsum", ""],
        ["{ lorem ipsum"],
        shown=False,
    ),
    keeps(C4QualityFilter(min_sentences=3), ["好。 对！ 是？", "One. Two."], ["好。 对！ 是？"], shown=False),
    maps(
        C4LineRefiner(),
        {
            "Home\nThis is it.  \n\n Is it so?\r\nToo short.\nIt goes on...\nIt goes on…": "This is it.\nIs it so?",
            "Please enable JavaScript to go on.\nWe use Cookies on this page.": "",
            "He said “it is so.”\nRead the Privacy  Policy, or else.": "He said “it is so.”\nRead the Privacy  Policy, or else.",
            "This is known.[1]\nThis too is[citation needed] known.[edit]": "This is known.\nThis too is known.",
            "": "",
            None: None,
        },
    ),
    maps(
        C4LineRefiner(min_line_words=2, max_word_chars=4, remove_citations=False),
        {"abcd abc.\nabcd abcd.\nabc.\nab [1].": "abcd abc.\nab [1]."},
        shown=False,
    ),
]
CASES = [*QUALITY, *REPETITION, *FINEWEB, *C4]
