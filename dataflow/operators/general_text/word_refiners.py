"""Refiners of words, one at a time: contractions, stop words, stems, spelling."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Literal

from pydantic import field_validator

from dataflow.core.errors import MissingDependency
from dataflow.operators._lib.text_refiner import TextRefiner, word_list
from dataflow.operators._lib.word_lists import stop_words

APOSTROPHES = "'’ʼ"
CONTRACTED = re.compile(rf"(?<![\w{APOSTROPHES}])[A-Za-z]*[{APOSTROPHES}][A-Za-z{APOSTROPHES}]*[A-Za-z]")
INFORMAL = re.compile(r"\b(?:gonna|gotta|wanna|gimme|lemme)\b", re.IGNORECASE)
ADVERB = r"\s+(?:(?:not|never|always|already|just|also|only|ever)\s+)?"
HAS = re.compile(rf"{ADVERB}(?:been|had|got|gotten|become)\b", re.IGNORECASE)
HAD = re.compile(rf"{ADVERB}(?:better|been|had|gone|done|seen|known|given|taken|made)\b", re.IGNORECASE)
SUBJECT = re.compile(r"\b(i|you|we|they|these|those)\s+$", re.IGNORECASE)
LINES = re.compile(r".*?(?:\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]|\Z)", re.DOTALL)
CLOSING = ")]}\"'”’»"
TOKEN = re.compile(r"\S+")
CORE = re.compile(r"^([^\w]*)(.*?)([^\w]*)$", re.DOTALL)
WORD = re.compile(rf"[^\W\d_]+(?:[{APOSTROPHES}][^\W\d_]+)*")


class RemoveContractionsRefiner(TextRefiner):
    """Write out the contractions of English: `can't` becomes `cannot`, and `I'VE` `I HAVE`.

    The apostrophe may be `'`, `’` or `ʼ`. `'s` is taken for "is" only after pronouns, question words, `there`, `here` and `that`, and
    for "us" in `let's`; after other words it may be a genitive and stays. `'s` is "has" and `'d` is "had" before a
    participle such as `been`; `'d` is "had" before `better` too, and else "would".
    """

    def map(self, text: str) -> str:
        if any(a in text for a in APOSTROPHES):
            text = CONTRACTED.sub(_written_out, text)
        return INFORMAL.sub(lambda found: _cased(_contractions()[found[0].lower()], found[0]), text)


@cache
def _contractions() -> dict[str, str]:
    return dict(line.split("\t", 1) for line in word_list("contractions_en.txt"))


def _written_out(found: re.Match[str]) -> str:
    plain = re.sub(rf"[{APOSTROPHES}]", "'", found[0])
    made = _expanded(plain, found)
    if made is None and plain.startswith("'"):  # of a quotation
        made = _expanded(plain[1:], found)
        return found[0] if made is None else found[0][0] + made
    return found[0] if made is None else made


def _expanded(plain: str, found: re.Match[str]) -> str | None:
    """A contraction written out; null if it is none."""
    table, word = _contractions(), plain.lower()
    if word in table:
        return _cased(_meant(word, table[word], found), plain)
    head, _, tail = plain.rpartition("'")
    rest = table.get(f"*'{tail.lower()}")
    if not rest or not head:
        return None
    inner = _expanded(head, found) or head if "'" in head else head
    return f"{inner} {rest.upper() if tail.isupper() else rest}"


def _meant(word: str, made: str, found: re.Match[str]) -> str:
    """Which of several expansions the words around it call for."""
    after = found.string[found.end() : found.end() + 40]
    if word == "ain't":
        subject = SUBJECT.search(found.string[max(0, found.start() - 10) : found.start()])
        return "is not" if not subject else "am not" if subject[1] in "iI" else "are not"
    if word.endswith("'s") and made.endswith(" is") and HAS.match(after):
        return f"{made[:-3]} has"
    if word.endswith("'d") and HAD.match(after):
        return made.replace(" would", " had")
    return made


def _cased(made: str, given: str) -> str:
    """As the contraction was written: in capitals, with one, or without."""
    letters = [c for c in given if c.isalpha()]
    if len(letters) > 1 and all(c.isupper() for c in letters):
        return made.upper()
    return made[0].upper() + made[1:] if letters[0].isupper() else made


class RemoveStopwordsRefiner(TextRefiner):
    """Delete stop words, whatever their case.

    A stop word is deleted with the white space before it; the punctuation around it and line breaks stay.
    What is joined by hyphens, slashes or dots is one word (`state-of-the-art`). Brackets and quotation marks around
    a stop word alone go with it, and so does a mark that would be the first of a line.
    """

    lang: str = "en"
    """Language of the stop words: `en` for a list of this package's, or a code or name that the package stop-words knows."""

    @field_validator("lang")
    @classmethod
    def _known(cls, lang: str) -> str:
        stop_words(lang)
        return lang

    def map(self, text: str) -> str:
        known = _known(self.lang)
        return "".join([_without(line, known) for line in LINES.findall(text)])


@cache
def _known(language: str) -> frozenset[str]:
    return frozenset(stop_words(language))


def _without(line: str, known: frozenset[str]) -> str:
    made, at, joined = [line[: len(line) - len(line.lstrip())]], 0, True
    for token in TOKEN.finditer(line):
        gap, (before, core, after) = line[at : token.start()], _parts(token[0])
        at = token.end()
        if core.lower().replace("’", "'") not in known:
            made.append(token[0] if joined else gap + token[0])
            joined = False
        elif before and not after:
            made.append(before if joined else gap + before)
            joined = True
        elif not joined:
            made.append(after.lstrip(CLOSING) if before else after)
    return "".join(made) + (line[at:] if at else "")


@lru_cache(1 << 16)
def _parts(token: str) -> tuple[str, str, str]:
    """Punctuation before a word, the word, and that after it."""
    found = CORE.match(token)
    assert found, "it matches any text"
    return found[1], found[2], found[3]


class StemmingLemmatizationRefiner(TextRefiner):
    """Put the stem or the lemma of each English word in its place; all else stays as it is.

    Stems are those of Porter (1980), in lower case; lemmas are looked up by simplemma, and words it does not know stay. The genitive
    `'s` stays, and so does any other word with an apostrophe.
    """

    method: Literal["stemming", "lemmatization"] = "stemming"
    """What a word becomes: `running` is the stem `run`, and `mice` has the lemma `mouse`."""

    def map(self, text: str) -> str:
        base = _base(self.method)
        return WORD.sub(lambda found: base(found[0]), text)


@cache
def _base(method: str) -> Callable[[str], str]:
    base = _stem() if method == "stemming" else _lemma()

    @lru_cache(1 << 17)
    def of(word: str) -> str:
        head, mark, tail = re.match(rf"([^{APOSTROPHES}]*)(.?)(.*)", word, re.DOTALL).groups()  # type: ignore[union-attr]
        if not mark:
            return base(word)
        return f"{base(head)}{mark}{tail}" if tail in ("s", "S") else word

    return of


def _stem() -> Callable[[str], str]:
    try:
        from nltk.stem.porter import PorterStemmer
    except ModuleNotFoundError:
        raise MissingDependency("nltk", "text", "Stemming") from None
    stem: Callable[[str], str] = PorterStemmer().stem
    return stem


def _lemma() -> Callable[[str], str]:
    try:
        from simplemma import lemmatize
    except ModuleNotFoundError:
        raise MissingDependency("simplemma", "text", "Lemmatization") from None
    return lambda word: str(lemmatize(word, lang="en"))
