"""Reading what an answer is."""

from __future__ import annotations

import json
import re
from importlib import resources

from dataflow.operators._lib.answers.forms import (
    Based,
    Choice,
    Equal,
    Form,
    Interval,
    Matrix,
    Ratio,
    Scalar,
    Several,
    Statement,
    Tuple,
    Unions,
    Words,
    without_infinity,
)
from dataflow.operators._lib.answers.measures import compound, measured
from dataflow.operators._lib.answers.numerals import Number, number
from dataflow.operators._lib.answers.tidy import (
    LONGEST,
    found,
    matching,
    matrix_rows,
    normal,
    outside,
    split,
    tidy,
    words_of,
)

PROSE_WORDS = 4
_PHRASES = {
    name: frozenset(phrases)
    for name, phrases in json.loads(
        resources.files(__package__).joinpath("phrases.json").read_text("utf-8")
    ).items()
}
_CHOICE = re.compile(
    r"(?:(?:option|choice|answer|选项?|選項?)\s*)?(?:\(\s*([A-Ja-j])\s*\)|\[\s*([A-J])\s*\]|([A-J])\s*[.):])\s*(.*)",
    re.DOTALL,
)
_NAMED_CHOICE = re.compile(r"(?:option|choice|选项?|選項?)\s*\(?([A-Ja-j])\)?", re.IGNORECASE)
_AND = re.compile(
    r",|;|(?<![A-Za-z])(?:and|or|和|或|以及|与)(?![A-Za-z])|\\text\s*\{\s*,?\s*(?:and|or|和|或|及|与)\s*\}|\\(?:land|lor|wedge|vee)(?![A-Za-z])"
)
_THOUSANDS = re.compile(r"(?<![\d,.-])-?\d{1,3}(?:,\d{3})+(?![\d,])")
_CUP = re.compile(r"\\cup(?![A-Za-z])")
_RELATION = re.compile(r"\\(?:le|ge|ne|in|approx|equiv)(?![A-Za-z])|[<>=]")
_COLON = re.compile(r":|\\text\s*\{\s*to\s*\}|(?<=\d) to (?=\d)|(?<=\d)\s*比\s*(?=\d)")
_TIME = re.compile(
    r"(\d{1,2})\s*:\s*([0-5]\d)(?::\d\d)?\s*(a\.?m\.?|p\.?m\.?)?|(\d{1,2})\s*(a\.?m\.?|p\.?m\.?|o'clock)",
    re.IGNORECASE,
)
_BASED = re.compile(
    r"([0-9A-F]+)_\{?\s*(?:\\text\s*\{)?(\d{1,2}|two|three|four|five|six|seven|eight|nine)\}?\}?"
)
_NAME = re.compile(
    r"\\?[A-Za-z]+(?:_(?:\{[^{}]*\}|\w))?'?(?:\s*\(\s*[A-Za-z\d, ]*\s*\))?|[A-Za-z][A-Za-z ]{2,30}|[\u4e00-\u9fff]+|\\angle\s*[A-Z]+|\\(?:text|overline|vec|mathbf)\s*\{[^{}]*\}|\|?[A-Z]{2,3}\|?"
)
_WORD = re.compile(r"[A-Za-z]{3,}|[\u4e00-\u9fff]+")
_PROSE = re.compile(r"[A-Za-z]{2,}(?: [A-Za-z]{2,})+")
_COMMAND = re.compile(r"\\[A-Za-z]+(?:\s*\{[^{}\\]*\}(?<=\}))?")
_CIRCULAR = {("(", ")"), ("[", "]"), ("(", "]"), ("[", ")")}


def read(answer: str) -> Form | None:
    """What an answer is; null where it is blank."""
    text = tidy(answer)
    if not text:
        return None
    return Words(normal(text)) if len(text) > LONGEST else _read(text, outer=True)


def _read(text: str, *, outer: bool = False) -> Form:
    text = _bare(text)
    plain = normal(words_of(text))
    if plain in _PHRASES["reals"]:
        return Interval(None, None)
    if plain in _PHRASES["nothing"] or text.strip() == r"\emptyset":
        return Several((), braced=True)
    for word in ("undefined", "yes", "no"):
        if plain in _PHRASES[word]:
            return Words(word)
    for reader in (
        _choice,
        _time,
        _compound,
        _matrix,
        _listed,
        _union,
        _bracketed,
        _relation,
        _signs,
        _based,
        _ratio,
    ):
        if reader is _listed and not outer:
            continue
        form = reader(text)
        if form is not None:
            return form
    return _scalar(text)


def _bare(text: str) -> str:
    """Without the braces, `\\text` or boxes around the whole."""
    before = ""
    while before != text:
        before, text = text, text.strip()
        for start in (r"\text{", r"\boxed{", "{"):
            opened = len(start) - 1
            if text.startswith(start) and matching(text, opened) == len(text) - 1:
                text = tidy(text[opened + 1 : -1])
    return text


def _choice(text: str) -> Form | None:
    plain = words_of(text)
    if match := _NAMED_CHOICE.fullmatch(plain):
        return Choice(match[1].upper())
    match = _CHOICE.fullmatch(plain)
    if not match or (match[3] and _relation(match[4])):
        return None
    rest = match[4].strip(" .:-")
    if rest and re.match(r"[\^_+*/=<>!-]|\\(?:cdot|times|le|ge|in|pm|cup)", match[4].lstrip()):
        return None
    if match[1] and match[1].islower() and rest:
        return None
    letter = (match[1] or match[2] or match[3]).upper()
    return Choice(letter, _read(tidy(rest), outer=True) if tidy(rest) else None)


def _time(text: str) -> Form | None:
    match = _TIME.fullmatch(words_of(text))
    if not match:
        return None
    hour, minute = int(match[1] or match[4]), int(match[2] or 0)
    half = (match[3] or match[5] or "").lower().replace(".", "")
    if hour > 23:
        return None
    if half in ("am", "pm"):
        hour = hour % 12 + 12 * (half == "pm")
    parts = (_scalar(match[1]), _scalar(match[2])) if match[1] and not half else ()
    return Ratio(parts, hour * 60 + minute, half in ("am", "pm"))


def _compound(text: str) -> Form | None:
    made = compound(text)
    return Scalar("", Number(made[0]), made[1]) if made else None


def _matrix(text: str) -> Form | None:
    rows = matrix_rows(text)
    return Matrix(tuple(tuple(_read(tidy(cell)) for cell in row) for row in rows)) if rows else None


def _listed(text: str) -> Form | None:
    joined = outside(text, _THOUSANDS, ",")
    parts = [p for p in split(joined, _AND) if p]
    if len(parts) < 2:
        return None if joined == text else _read(joined)
    forms = [_read(tidy(p)) for p in parts]
    told = [len(f.text.split()) for f in forms if isinstance(f, Words)]
    if max(told, default=0) > 2 and len(text.split()) > PROSE_WORDS:
        return Words(normal(words_of(text)))
    joiners = {j.strip() for j in found(joined, _AND)}
    if all(isinstance(f, Interval) and f.name for f in forms):
        return _joined_intervals(forms, bool(joiners & {"or", "或"} or any("or" in j for j in joiners)))
    return Several(tuple(_named_alike(forms)))


def _named_alike(forms: list[Form]) -> list[Form]:
    """`x = 1, 2` says `x = 1, x = 2`."""
    first = forms[0]
    if isinstance(first, Equal) and first.name and all(isinstance(f, Scalar) for f in forms[1:]):
        return [
            first,
            *(Equal(first.name, f, first.left, f.latex) for f in forms[1:] if isinstance(f, Scalar)),
        ]
    return forms


def _joined_intervals(forms: list[Form], either: bool) -> Form:
    intervals = [f for f in forms if isinstance(f, Interval)]
    if either or len({i.name for i in intervals}) > 1 or len(intervals) != 2:
        return Unions(tuple(intervals)) if either else Several(tuple(intervals))
    a, b = intervals
    if a.low is None and b.high is None:
        a, b = b, a
    if a.high is None and b.low is None:
        return Interval(a.low, b.high, a.low_open, b.high_open, a.name)
    return Several((a, b))


def _union(text: str) -> Form | None:
    parts = split(text, _CUP)
    return Unions(tuple(_read(tidy(p)) for p in parts)) if len(parts) > 1 and all(parts) else None


def _bracketed(text: str) -> Form | None:
    for opening, closing in ((r"\{", r"\}"), (r"\langle", r"\rangle")):
        if text.startswith(opening) and text.endswith(closing) and text.count(opening) == 1:
            inside = text[len(opening) : -len(closing)]
            if opening == r"\langle":
                return Tuple("(", _parts(inside), ")")
            return _set(inside)
    if text.startswith(r"\{") and text.endswith(r"\}"):
        return _set(text[2:-2])
    if len(text) < 3 or (text[0], text[-1]) not in _CIRCULAR or not _closes_last(text):
        return None
    parts = _parts(text[1:-1])
    return Tuple(text[0], parts, text[-1]) if len(parts) > 1 else None


def _closes_last(text: str) -> bool:
    depth = 0
    for i, char in enumerate(text):
        depth += (char in "([") - (char in ")]")
        if depth == 0:
            return i == len(text) - 1
    return False


def _set(inside: str) -> Form:
    builder = split(inside, re.compile(r"\\mid(?![A-Za-z])|\||:"))
    if len(builder) == 2 and _NAME.fullmatch(builder[0].split(r"\in")[0].strip()):
        made = _read(tidy(builder[1]), outer=True)
        if not isinstance(made, (Scalar, Words)):
            return made
    return Several(_parts(inside), braced=True)


def _parts(inside: str) -> tuple[Form, ...]:
    if ", " in inside:
        inside = (
            _THOUSANDS.sub(lambda m: m[0].replace(",", ""), inside)
            if re.search(r",(?=\d)", inside)
            else inside
        )
    return tuple(_read(tidy(p)) for p in split(inside, re.compile(r"[,;]")) if tidy(p))


_FLIPPED = {"<": ">", ">": "<", r"\le": r"\ge", r"\ge": r"\le"}


def _relation(text: str) -> Form | None:
    signs = [s.strip() for s in found(text, _RELATION)]
    if not signs:
        return None
    sides = [s.strip() for s in split(text, _RELATION)]
    if not sides[0] and signs[0] in ("=", r"\approx") and len(sides) == 2 and sides[1]:
        return _read(tidy(sides[1]))
    if not all(sides):
        return None
    kinds = set(signs)
    if kinds <= {"=", r"\approx"}:
        return _equality(sides)
    if signs == [r"\in"]:
        return _read(tidy(sides[1]))
    if len(signs) == 2 and signs[0] == "=" and signs[1] == r"\equiv":
        return Statement(text)
    if kinds <= {"<", r"\le"} or kinds <= {">", r"\ge"}:
        return _interval(sides, signs) or Statement(text)
    return Statement(text)


def _equality(sides: list[str]) -> Form:
    left, right = sides[0], sides[-1]
    if len(sides) == 2 and is_name(right) and not is_name(left):
        left, right = right, left
    value = _read(tidy(right), outer=True)
    return Equal(_name(left) if is_name(left) or len(sides) > 2 else None, value, left, right)


def is_name(text: str) -> bool:
    if not _NAME.fullmatch(text.strip()):
        return False
    command = re.match(r"\\([A-Za-z]+)", text.strip())
    return number(text) is None and not (command and command[1] in _PHRASES["functions"])


def _name(text: str) -> str:
    return re.sub(r"[\s{}|]|\\text|\(.*\)", "", text)


def _interval(sides: list[str], signs: list[str]) -> Form | None:
    if signs[0] in (">", r"\ge"):
        sides, signs = sides[::-1], [_FLIPPED[s] for s in reversed(signs)]
    if len(sides) == 3 and is_name(sides[1]):
        low, high = _scalar(sides[0]), _scalar(sides[2])
        return without_infinity(Interval(low, high, signs[0] == "<", signs[1] == "<", _name(sides[1])))
    if len(sides) != 2 or is_name(sides[0]) == is_name(sides[1]):
        return None
    if is_name(sides[0]):
        return Interval(None, _scalar(sides[1]), high_open=signs[0] == "<", name=_name(sides[0]))
    return Interval(_scalar(sides[0]), None, low_open=signs[0] == "<", name=_name(sides[1]))


_PLUS_MINUS = re.compile(r"\\(pm|mp)(?![A-Za-z])")


def _signs(text: str) -> Form | None:
    """`\\pm a` as the two values that it stands for."""
    if not _PLUS_MINUS.search(text):
        return None
    upper = _PLUS_MINUS.sub(lambda m: "+" if m[1] == "pm" else "-", text)
    lower = _PLUS_MINUS.sub(lambda m: "-" if m[1] == "pm" else "+", text)
    return Several(tuple(_scalar(t.strip().removeprefix("+").strip()) for t in (upper, lower)))


_BASES = {w: i for i, w in enumerate(["two", "three", "four", "five", "six", "seven", "eight", "nine"], 2)}


def _based(text: str) -> Form | None:
    match = _BASED.fullmatch(text.replace(" ", ""))
    if not match or match[1].isalpha():
        return None
    base = _BASES.get(match[2]) or int(match[2])
    return Based(match[1], base) if 2 <= base <= 36 else None


def _ratio(text: str) -> Form | None:
    parts = split(text, _COLON)
    if len(parts) < 2 or not all(parts):
        return None
    forms = tuple(_scalar(tidy(p)) for p in parts)
    return Ratio(forms) if all(isinstance(f, Scalar) for f in forms) else None


def _scalar(text: str) -> Form:
    text = text.strip()
    if text.startswith("(") and matching(text, 0) == len(text) - 1 and not re.search(r"[,;]", text):
        text = text[1:-1].strip()
    if (value := number(text)) is not None:
        return Scalar(text, value)
    head, unit = measured(text)
    if head != text:
        return Scalar(head, number(head), unit)
    if _is_words(text):
        plain = words_of(text)
        inner = number(tidy(plain))
        return Scalar(plain, inner) if inner else Words(normal(plain))
    return Scalar(text)


def _is_words(text: str) -> bool:
    if _PROSE.fullmatch(text) or (r"\text" in text and not re.search(r"[\d^_+=]", text)):
        return True
    bare = _COMMAND.sub(" ", re.sub(r"\\text\s*\{[^{}]*\}", " word ", text))
    return any(w.lower() not in _PHRASES["functions"] for w in _WORD.findall(bare))
