"""Refiners that delete kinds of characters: numbers, punctuation, emoji, emoticons.

White space around what is deleted stays.
"""

from __future__ import annotations

import re
from functools import cache

import polars as pl

from dataflow.operators._lib.text_refiner import TextRefiner, word_list

DIGITS = (
    r"\p{Nd}²³¹\x{1369}-\x{1371}\x{19DA}⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐⓪⓵-⓽⓿❶-❾➀-➈➊-➒"
    r"\x{10A40}-\x{10A43}\x{10E60}-\x{10E68}\x{11052}-\x{1105A}\x{1F100}-\x{1F10A}"
)
"""What `str.isdigit` holds of, as members of a regex class."""
NUMBER = rf"[{DIGITS}](?:\x{{FE0F}}?\x{{20E3}})?"

EMOJI_START = "|".join(
    (
        r"[\p{Emoji_Presentation}\p{RI}\x{1F3FB}-\x{1F3FF}]",
        r"[\p{Emoji}&&[\x{2600}-\x{27BF}]--[♀♂]]",
        r"[\p{Extended_Pictographic}&&[\x{1F170}-\x{1FAFF}]]",
        r"\p{Extended_Pictographic}\x{FE0F}",
        r"[0-9#*]\x{FE0F}*\x{20E3}",
    )
)
EMOJI_MORE = "|".join(
    (
        r"\x{200D}\p{Extended_Pictographic}",
        r"[\x{200D}\x{FE0E}\x{FE0F}\x{20E3}\x{1F3FB}-\x{1F3FF}\x{E0020}-\x{E007F}]",
    )
)
EMOJI = rf"(?:{EMOJI_START})(?:{EMOJI_MORE})*|\x{{FE0F}}+"
"""An emoji with all that is joined to it, or a variation selector that asks for one."""

ASCII_PUNCTUATION = r"!-/:-@\[-`{-~"


class RemoveNumberRefiner(TextRefiner):
    """Delete all digits, of any script, superscript and circled ones among them.

    Digits are what `str.isdigit` takes for some; fractions and Chinese or Roman numerals stay, and so do
    separators.
    """

    def expr(self, text: pl.Expr) -> pl.Expr:
        return text.str.replace_all(NUMBER, "")


class RemovePunctuationRefiner(TextRefiner):
    """Delete the ASCII punctuation marks and symbols."""

    unicode_punctuation: bool = False
    """Whether punctuation of all scripts (category P*) goes too; `€` and `±` are symbols and stay."""

    def expr(self, text: pl.Expr) -> pl.Expr:
        more = r"\p{P}" if self.unicode_punctuation else ""
        return text.str.replace_all(rf"[{ASCII_PUNCTUATION}{more}]", "")


class RemoveEmojiRefiner(TextRefiner):
    """Delete emoji whole: with skin tones, joiners, variation selectors, flags and keycaps.

    Characters that are both text and emoji go in the blocks of pictographs, weather and dingbats (☀ ❤ ✈, but not
    ♀ ♂); elsewhere (© ™ ↔ ▶) only where a variation selector asks for the emoji. Plain digits, `#` and `*` stay.
    """

    def may_change(self, text: pl.Expr) -> pl.Expr:
        return text.str.len_bytes() > text.str.len_chars()

    def expr(self, text: pl.Expr) -> pl.Expr:
        return text.str.replace_all(EMOJI, "")


class RemoveEmoticonsRefiner(TextRefiner):
    """Delete emoticons that stand alone, western ones such as `:-)` and kaomoji such as `(^_^)`.

    An emoticon stands alone between white space, the end of the text, or marks that end a clause; what is part of
    a word, a URL or code stays. Forms with another common use, such as `D:`, `8)`, `:|` and `QQ`, are not in the
    list.
    """

    def expr(self, text: pl.Expr) -> pl.Expr:
        # neighbours share the mark between them, so that one pass finds every other of them
        once = text.str.replace_all(_emoticons(), KEPT)
        return once.str.replace_all(_emoticons(), KEPT)


KEPT = "${b0}${a0}${b1}${a1}${b2}${a2}"
AFTER = r".,!?…\"'”’)\]。，！？"


@cache
def _emoticons() -> str:
    """A regex of all; what comes before and after is in the groups of the alternative met.

    The mouth of a face that lies on its side may be drawn several times, and is no mark after the face.
    """
    known = sorted(word_list("emoticons.txt"), key=len, reverse=True)
    lying = [e for e in known if e[0] in ":;=" and e[-1] in "()[]DP"]
    kinds = [[e for e in lying if e[-1] == mouth] for mouth in ")]"]
    upright = [e for e in known if e not in kinds[0] + kinds[1]]
    forms = [[re.escape(e) + ("+" if e in lying else "") for e in kind] for kind in (upright, *kinds)]
    after = [AFTER, AFTER.replace(")", ""), AFTER.replace(r"\]", "")]
    return "|".join(
        rf"(?P<b{n}>^|[\s.,!?…。，！？])(?:{'|'.join(forms[n])})(?P<a{n}>$|[\s{after[n]}])" for n in range(3)
    )
