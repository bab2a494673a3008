"""Words put for other words in texts by plain steps."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import symspellpy
from nltk.stem.porter import PorterStemmer
from simplemma import lemmatize

from dataflow.operators._lib.text_refiner import word_list
from dataflow.operators._lib.word_lists import stop_words

TABLE = dict(line.split("\t", 1) for line in word_list("contractions_en.txt"))
APOSTROPHES = "'’ʼ"
STOPS = set(stop_words("en"))
INFORMAL = ["gonna", "gotta", "wanna", "gimme", "lemme"]
ADVERBS = ["not", "never", "always", "already", "just", "also", "only", "ever"]
BEEN = ["been", "had", "got", "gotten", "become"]
BETTER = ["better", "been", "had", "gone", "done", "seen", "known", "given", "taken", "made"]


def without_contractions(text: str) -> str:
    pieces = re.split("([A-Za-z'’ʼ]+)", text)
    made = ""
    for n, piece in enumerate(pieces):
        if n % 2 == 0:
            made += piece
            continue
        tail = re.search("['’ʼ]*$", piece)[0]  # type: ignore[index]
        word = piece[: len(piece) - len(tail)]
        inside = re.search(r"\w$", pieces[n - 1]) is not None
        after = tail + "".join(pieces[n + 1 :])
        made += (word if inside or len(word) > 40 else _long(word, "".join(pieces[:n]), after)) + tail
    made = re.split(r"(\w+)", made)  # type: ignore[assignment]
    return "".join(_as_written(TABLE[w.lower()], w) if _informal(w) else w for w in made)


def _informal(word: str) -> bool:
    return word.lower() in INFORMAL and (word[1:].islower() or word.isupper())


def _long(word: str, before: str, after: str) -> str:
    plain = word.replace("’", "'").replace("ʼ", "'")
    if not re.search("'[A-Za-z]", plain):
        return word
    if made := _expanded(plain, before, after):
        return made
    if plain[0] == "'" and (made := _expanded(plain[1:], before + word[0], after)):
        return word[0] + made
    return word


def _expanded(plain: str, before: str, after: str) -> str:
    low = plain.lower()
    if low in TABLE:
        made = TABLE[low]
        following = after[:40].lower().split()
        if following and following[0] in ADVERBS:
            following = following[1:]
        verb = re.match(r"\w*", following[0])[0] if following and after[:1].isspace() else ""  # type: ignore[index]
        if low.endswith("'s") and made.endswith(" is") and verb in BEEN:
            made = made[:-3] + " has"
        if low.endswith("'d") and verb in BETTER:
            made = made.replace(" would", " had")
        if low == "ain't":
            subject = re.search(r"(?<!\w)(i|you|we|they|these|those)\s+$", before, re.I)
            made = ("am" if subject[1] in "iI" else "are") + " not" if subject else "is not"
        return _as_written(made, plain)
    head, _, tail = plain.rpartition("'")
    rest = TABLE.get(f"*'{tail.lower()}")
    if not rest or not head:
        return ""
    inner = (_expanded(head, before, after) if "'" in head else "") or head
    return f"{inner} {rest.upper() if tail.isupper() else rest}"


def _as_written(made: str, given: str) -> str:
    letters = "".join(c for c in given if c.isalpha())
    if len(letters) > 1 and letters.isupper():
        return made.upper()
    return made[0].upper() + made[1:] if letters[0].isupper() else made


BREAKS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
CLOSING = ")]}\"'”’»"


def without_stop_words(text: str) -> str:
    return "".join(map(_line_without, re.findall(rf"\r\n|[{BREAKS}]|[^{BREAKS}]+", text)))


def _line_without(line: str) -> str:
    body = line.strip()
    if not body:
        return line
    made, gap, first = "", "", True
    for piece in re.split(r"(\s+)", body):
        if piece.isspace():
            gap = piece
            continue
        lead = re.match(r"\W*", piece)[0]  # type: ignore[index]
        trail = re.search(r"\W*$", piece)[0]  # type: ignore[index]
        core = piece[len(lead) : len(piece) - len(trail)].lower().replace("’", "'")
        if core not in STOPS:
            made += ("" if first else gap) + piece
            first = False
        elif lead and not trail:
            made += ("" if first else gap) + lead
            first = True
        elif not first:
            made += trail.lstrip(CLOSING) if lead else trail
    return line.replace(body, made, 1)


Base = Callable[[str], str]


def stemmed(text: str) -> str:
    return _each_word(text, PorterStemmer().stem)


def lemmatized(text: str) -> str:
    return _each_word(text, lambda word: str(lemmatize(word, lang="en")))


def _each_word(text: str, base: Base) -> str:
    made, word = "", ""
    for c in text + "\0":
        if (c.isalnum() and not c.isdecimal() and re.match(r"\D", c)) or (c in APOSTROPHES and word):
            word += c
            continue
        made += _word(word, base) + c
        word = ""
    return made[:-1]


def _word(run: str, base: Base) -> str:
    """A run of letters and apostrophes: after two apostrophes in a row words begin anew."""
    parts = re.split(r"(['’ʼ]{2,}|['’ʼ]$)", run)
    return "".join(part if not part or part[0] in APOSTROPHES else _based(part, base) for part in parts)


def _based(word: str, base: Base) -> str:
    parts = re.split("(['’ʼ])", word, maxsplit=1)
    if len(parts) == 1:
        return base(word)
    return base(parts[0]) + parts[1] + parts[2] if parts[2] in ("s", "S") else word


def spelled(text: str) -> str:
    """Words of English letters that stand alone, corrected by the dictionary."""
    made, i = "", 0
    while i < len(text):
        url = re.compile(r"(https?://|www\.)\S+", re.I).match(text, i)
        run = re.compile(r"[A-Za-z]+(-[A-Za-z]+)*").match(text, i)
        found = url or run
        if not found:
            made += text[i]
            i += 1
            continue
        made += found[0] if url else _corrected(found[0], text[:i], text[found.end() :])
        i = found.end()
    return made


def _corrected(run: str, before: str, after: str) -> str:
    parts = run.split("-")
    joined = re.search(r"[\w@'’/\\&#]\Z|\w[.-]\Z", before) or re.match(r"[\w@'’/\\(]|[.:-]\w|:/", after)
    if joined or min(map(len, parts)) < 3:
        return run
    opens = before.rstrip(" \t\"'“”‘’([*_#>-")
    first = run[0].isupper() and run[1:].islower() and (not opens or opens[-1] in ".!?:\n\r")
    if not (run.islower() or first):
        return run
    made = "-".join(_closest(part.lower()) for part in parts)
    return made[0].upper() + made[1:] if first else made


@cache
def _speller() -> symspellpy.SymSpell:
    speller = symspellpy.SymSpell(2, 7)
    folder = Path(symspellpy.__file__).parent
    speller.load_dictionary(folder / "frequency_dictionary_en_82_765.txt", 0, 1, encoding="utf-8")
    return speller


def _closest(word: str) -> str:
    found = _speller().lookup(word, symspellpy.Verbosity.TOP, 1 if len(word) <= 4 else 2)
    return found[0].term if found else word
