"""Filters by how much of a text repeats itself."""

from __future__ import annotations

from typing import ClassVar

import polars as pl
from pydantic import Field

from dataflow.operators._lib.text_filter import TextStats
from dataflow.operators._lib.text_rules import Rule, TextRulesFilter, share


def _most(default: float) -> float:
    bound: float = Field(default, ge=0, le=1)
    return bound


class GopherRepetitionFilter(TextRulesFilter):
    """Keep texts that do not repeat themselves, by all rules of Gopher on repetition.

    From Rae et al. 2021 (arXiv 2112.11446, appendix A1.1), with its thresholds. Lines and paragraphs are compared
    without white space around them, and blank ones are none. Words are parted by white space; case, and punctuation at
    their ends, make no difference; a text without spaces is one word. A line, paragraph or n-gram of 5 to 10
    words is a duplicate where it occurred before. Of the n-grams of 2 to 4 words the most frequent one counts, if it
    occurs twice. Each character counts once, white space between words not at all. Bounds are inclusive, so 1 switches a
    rule off. A dropped row is told the first rule that it breaks. A blank text is kept, null is dropped.
    """

    judges_blank: ClassVar[bool] = True

    max_duplicate_lines: float = _most(0.30)
    """Most duplicate lines, as a share of all."""
    max_duplicate_paragraphs: float = _most(0.30)
    """Most duplicate paragraphs, as a share of all."""
    max_duplicate_line_chars: float = _most(0.20)
    """Most characters in duplicate lines, as a share of those in lines."""
    max_duplicate_paragraph_chars: float = _most(0.20)
    """Most characters in duplicate paragraphs, as a share of those in paragraphs."""
    max_top_2gram: float = _most(0.20)
    """Most characters in the most frequent pair of words, as a share of those in words."""
    max_top_3gram: float = _most(0.18)
    """The same for three words."""
    max_top_4gram: float = _most(0.16)
    """The same for four words."""
    max_duplicate_5grams: float = _most(0.15)
    """Most characters in duplicate runs of 5 words, as a share of those in words."""
    max_duplicate_6grams: float = _most(0.14)
    """The same for 6 words."""
    max_duplicate_7grams: float = _most(0.13)
    """The same for 7 words."""
    max_duplicate_8grams: float = _most(0.12)
    """The same for 8 words."""
    max_duplicate_9grams: float = _most(0.11)
    """The same for 9 words."""
    max_duplicate_10grams: float = _most(0.10)
    """The same for 10 words."""

    def rules(self, text: TextStats) -> list[Rule]:
        def of_words(chars: pl.Expr) -> pl.Expr:
            return share(chars, text.plain_word_chars)

        tops = (self.max_top_2gram, self.max_top_3gram, self.max_top_4gram)
        repeats = (
            self.max_duplicate_5grams,
            self.max_duplicate_6grams,
            self.max_duplicate_7grams,
            self.max_duplicate_8grams,
            self.max_duplicate_9grams,
            self.max_duplicate_10grams,
        )
        lines = share(text.duplicate_lines, text.lines)
        line_chars = share(text.duplicate_line_chars, text.line_chars)
        paragraphs = share(text.duplicate_paragraphs, text.paragraphs)
        paragraph_chars = share(text.duplicate_paragraph_chars, text.paragraph_chars)
        return [
            Rule("duplicate lines", lines, high=self.max_duplicate_lines),
            Rule("duplicate paragraphs", paragraphs, high=self.max_duplicate_paragraphs),
            Rule("characters in duplicate lines", line_chars, high=self.max_duplicate_line_chars),
            Rule(
                "characters in duplicate paragraphs",
                paragraph_chars,
                high=self.max_duplicate_paragraph_chars,
            ),
            *(
                Rule(f"most frequent {n}-gram", of_words(getattr(text, f"top_{n}gram_chars")), high=most)
                for n, most in enumerate(tops, 2)
            ),
            *(
                Rule(f"duplicate {n}-grams", of_words(getattr(text, f"repeated_{n}gram_chars")), high=most)
                for n, most in enumerate(repeats, 5)
            ),
        ]
