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
APOSTROPHE = re.compile(rf"[{APOSTROPHES}](?=[A-Za-z])")
BEFORE = re.compile(rf"[A-Za-z{APOSTROPHES}]*\Z")
AFTER = re.compile(rf"[A-Za-z{APOSTROPHES}]*[A-Za-z]")
LONGEST = 40
"""Characters of the longest word that may be a contraction."""
INFORMAL = re.compile(r"[GgWwLl](?<!\w.)(?:onna|ONNA|otta|OTTA|anna|ANNA|imme|IMME|emme|EMME)\b")
ADVERB = r"\s+(?:(?:not|never|always|already|just|also|only|ever)\s+)?"
HAS = re.compile(rf"{ADVERB}(?:been|had|got|gotten|become)\b", re.IGNORECASE)
HAD = re.compile(rf"{ADVERB}(?:better|been|had|gone|done|seen|known|given|taken|made)\b", re.IGNORECASE)
SUBJECT = re.compile(r"\b(i|you|we|they|these|those)\s+$", re.IGNORECASE)
LINES = re.compile(r".*?(?:\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]|\Z)", re.DOTALL)
CLOSING = ")]}\"'”’»"
SPACES = re.compile(r"(\s+)")
MARKS = re.compile(r"\W*")
WORD = re.compile(rf"[^\W\d_]+(?:[{APOSTROPHES}][^\W\d_]+)*")


class RemoveContractionsRefiner(TextRefiner):
    """Write out the contractions of English: `can't` becomes `cannot`, and `I'VE` `I HAVE`.

    The apostrophe may be `'`, `’` or `ʼ`. `'s` is taken for "is" only after pronouns, question words, `there`,
    `here` and `that`, and for "us" in `let's`; after other words it may be a genitive and stays. `'s` is "has"
    and `'d` is "had" before a participle such as `been`; `'d` is "had" before `better` too, and else "would".
    """

    def map(self, text: str) -> str:
        made, at = [], 0
        for apostrophe in APOSTROPHE.finditer(text):
            if apostrophe.start() < at:
                continue
            start, end = _word_around(text, at, apostrophe.start())
            made += [text[at:start], _written_out(text, start, end)]
            at = end
        return INFORMAL.sub(_formal, "".join(made) + text[at:])


def _word_around(text: str, since: int, apostrophe: int) -> tuple[int, int]:
    """Where the word with an apostrophe begins and ends; no more than `LONGEST` characters before it are looked at."""
    before = BEFORE.search(text, max(since, apostrophe - LONGEST), apostrophe)
    after = AFTER.match(text, apostrophe)
    assert before, "it matches nothing too"
    assert after, "a letter comes after it"
    return before.start(), after.end()


def _formal(found: re.Match[str]) -> str:
    made = _contractions().get(found[0].lower())
    return found[0] if made is None else _cased(made, found[0])


@cache
def _contractions() -> dict[str, str]:
    return dict(line.split("\t", 1) for line in word_list("contractions_en.txt"))


def _written_out(text: str, start: int, end: int) -> str:
    """The word there; written out if it is a contraction."""
    if end - start > LONGEST or (start and (text[start - 1].isalnum() or text[start - 1] == "_")):
        return text[start:end]
    plain = re.sub(rf"[{APOSTROPHES}]", "'", text[start:end])
    made = _expanded(plain, text, start, end)
    if made is None and plain.startswith("'"):  # of a quotation
        made = _expanded(plain[1:], text, start, end)
        made = made and text[start] + made
    return text[start:end] if made is None else made


def _expanded(plain: str, text: str, start: int, end: int) -> str | None:
    """A contraction written out; null if it is none."""
    table, word = _contractions(), plain.lower()
    if word in table:
        return _cased(_meant(word, table[word], text, start, end), plain)
    head, _, tail = plain.rpartition("'")
    rest = table.get(f"*'{tail.lower()}")
    if not rest or not head:
        return None
    inner = _expanded(head, text, start, end) or head if "'" in head else head
    return f"{inner} {rest.upper() if tail.isupper() else rest}"


def _meant(word: str, made: str, text: str, start: int, end: int) -> str:
    """Which of several expansions the words around it call for."""
    after = text[end : end + 40]
    if word == "ain't":
        subject = SUBJECT.search(text[max(0, start - 10) : start])
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
    def _checked(cls, lang: str) -> str:
        stop_words(lang)
        return lang

    def map(self, text: str) -> str:
        return "".join([_without(line, self.lang) for line in LINES.findall(text)])


@cache
def _known(language: str) -> frozenset[str]:
    return frozenset(stop_words(language))


def _without(line: str, lang: str) -> str:
    body = line.strip()
    if not body:
        return line
    tokens, made, joined = SPACES.split(body), [], True
    for i in range(0, len(tokens), 2):
        token, gap = tokens[i], tokens[i - 1] if i else ""
        around = _around_stop_word(token, lang)
        if around is None:
            made.append(token if joined else gap + token)
            joined = False
        elif around[0] and not around[1]:
            made.append(around[0] if joined else gap + around[0])
            joined = True
        elif not joined:
            made.append(around[1].lstrip(CLOSING) if around[0] else around[1])
    start = line.index(body)
    return line[:start] + "".join(made) + line[start + len(body) :]


@lru_cache(1 << 16)
def _around_stop_word(token: str, lang: str) -> tuple[str, str] | None:
    """The punctuation before a stop word and after it; null if a token is none."""
    marks, backwards = MARKS.match(token), MARKS.match(token[::-1])
    assert marks, "it matches nothing too"
    assert backwards, "it matches nothing too"
    start, end = marks.end(), len(token) - backwards.end()
    known = token[start:end].lower().replace("’", "'") in _known(lang)
    return (token[:start], token[end:]) if known else None


class StemmingLemmatizationRefiner(TextRefiner):
    """Put the stem or the lemma of each English word in its place; all else stays as it is.

    Stems are those of Porter (1980), in lower case; lemmas are looked up by simplemma, and words it does not know
    stay. The genitive `'s` stays, and so does any other word with an apostrophe.
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
