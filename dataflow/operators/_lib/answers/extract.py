"""The final answer of a worked solution, and what shows that it is one."""

from __future__ import annotations

import re
from typing import NamedTuple

from dataflow.operators._lib.answers.tidy import matching

BOXED, HASHES, PHRASE, LAST_NUMBER = "boxed", "####", "phrase", "last number"
_TAIL = 6000
"""Characters at the end of a solution in which phrases and numbers are looked for."""

_BOX = re.compile(r"\\?(?:boxed|fbox)\s*(?=\{)|\\boxed\s+(\S)")
_HASHES = re.compile(r"^[ \t]*####[ \t]*(.+?)[ \t]*$", re.MULTILINE)
_TAGGED = re.compile(r"<answer>\s*(.+?)\s*</answer>", re.DOTALL | re.IGNORECASE)
_MINERVA = re.compile(r"final answer is:?\s*\$(.*?)\$\.? I hope", re.DOTALL)
_IS = re.compile(
    r"\b(?:the\s+)?(?:final|correct|required|exact|right|numerical)?\s*(?:answer|result|choice|option)\s*(?:to [^.\n]{1,80}?|for [^.\n]{1,60}?)?\s*(?:is|are|should be|must be|will be|would be|equals|comes out to(?: be)?)\s*(?:(?:option|choice|equal to|given by|therefore|thus|simply|indeed|then)\s+)*[:：]?\s*"
    r"|\b(?:final\s+)?answers?\s*\**\s*[:：]\s*\**\s*"
    r"|(?:最终|最後|最后|正确|正確|参考|參考)?的?(?:答案|结果|結果)(?:应该|應該|应|應)?(?:是|为|為|选|選|等于|等於)?\s*[:：]?\s*(?=[^\s，。])|(?:故|应|應|因此)?(?:选|選)(?:择|擇)?\s*[:：]?\s*(?=\(?[A-J](?![A-Za-z]))",
    re.IGNORECASE,
)
_SO = re.compile(
    r"\b(?:so|thus|therefore|hence|in total|altogether|in conclusion|consequently|accordingly|we (?:get|have|find|obtain|conclude))\b|所以|因此|故|于是|於是|综上|綜上|一共|總共|总共",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"(?:\bis|\bare|\bequals|\bhas|\bhave|\bhad|\bwas|\bwere|\bcosts?|\bof|\bby|\bto|\bget|\bgives?|\bonly|\bleast|\bmost|≥|为|為|是|等于|等於|得|有|共|花了|花|到|：|:)\s*(?=\$|\\|-?\d|[(\[]|-?sqrt|C\(|-?[a-zA-Z][\^(!/*+-]|[a-z]\b(?!')[^a-z]*$)",
    re.IGNORECASE,
)
_VERB = re.compile(r"is|are|equals|has|have|为|為|是", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=。)|\n")
_ANNOTATION = re.compile(r"<<[^<>\n]*>>")
_ASIDE = r",?\s+(?:which|so|because|since|where|with (?:equality|the)|achieved|attained|when|for all|for example|as (?:required|desired)|regardless|I hope|and (?:the|this|that|we|it|so|is))\b|,\s+(?:with|by|for)\b|,?\s*\(?(?:i\.e\.|that is\b)|,?\s+or (?:equivalently|approximately|about)\b"
_ASIDES = re.compile(_ASIDE)
_NAMED_VALUES = re.compile(
    r"(?<![\w(])(?:[a-zA-Z](?:_\w+)?(?:\([a-z]\))?\s*=\s*[^\s,=]+(?:,\s*and\s+|,\s*or\s+|,\s*|\s+and\s+|\s+or\s+)){1,9}[a-zA-Z](?:_\w+)?(?:\([a-z]\))?\s*=\s*[^\s,=]+$"
)
_COUNTED = re.compile(
    r"(-?\\?\$?\d[\d,.]*(?:/\d+)?%?\s+(?!and\b|or\b|to\b|in\b|for\b|of\b|at\b|being\b|is\b)[^\W\d]+)(?:\s+\S+){2,}|(\S*[\d)!}\]])\s+(?!and\b|or\b|to\b|[ap]\.?m)(?:in|for|of|at|from|by|being|[a-z]{3,}\s\S+|[a-z]{6,})\b.*"
)
_CLAUSE_END = re.compile(
    r"\n|(?<!\b[A-Za-z])\.(?=\s|$)|[。！？?](?=\s|$)|。|;\s|；|，(?=[\u4e00-\u9fff])|" + _ASIDE
)
_NUMBER = re.compile(
    r"(?<![\w.])-?(?:\\?\$\s?)?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:\s*/\s*\d+(?![\d.]))?%?"
)
_FORMULA = re.compile(r"\$([^$]{1,300})\$|\\\((.{1,300}?)\\\)")
_EDGES = " \t\r\n*`\"'_“”"


class Answer(NamedTuple):
    text: str
    evidence: str
    """`boxed`, `####`, `phrase` or `last number`."""


class Box(NamedTuple):
    start: int
    end: int
    inside: str
    closed: bool = True


def extract(solution: str, *, last_number: bool = True) -> Answer | None:
    """The answer that a solution ends in: in its last box, after `####`, in `<answer>` tags, after words such as `the answer is`,
    or else, with `last_number`, its last number. Null where it has none.

    Several boxes in the last sentence or formula that has any are the parts of one answer, and given with commas.
    Thoughts between `<think>` tags hold no answer.
    """
    text = _ANNOTATION.sub("", _said(solution))
    for read in (_minerva, _boxed, _hashes, _tagged, _phrase, _conclusion):
        found = read(text)
        if found is not None and (kept := _cut(found.text)):
            return Answer(kept, found.evidence)
    numbers = [m[0] for m in _NUMBER.finditer(text[-_TAIL:])] if last_number else []
    return Answer(numbers[-1].strip(), LAST_NUMBER) if numbers else None


def _said(solution: str) -> str:
    """A solution without its thoughts; one that only thinks says nothing."""
    return solution.rpartition("</think>")[2].partition("<think>")[0]


def _cut(text: str) -> str:
    kept = text.strip(_EDGES)
    if kept.endswith(".") and not kept.endswith("..."):
        kept = kept[:-1].rstrip(_EDGES)
    return kept


def _minerva(text: str) -> Answer | None:
    match = _MINERVA.search(text)
    return Answer(match[1], PHRASE) if match else None


def boxes(text: str) -> list[Box]:
    """Each box that is in no other; one that never closes goes to the next `$` or line end."""
    made: list[Box] = []
    unclosed = 0
    for match in _BOX.finditer(text):
        if made and match.start() < made[-1].end:
            continue
        if match[1]:
            made.append(Box(match.start(), match.end(), match[1]))
            continue
        opened = match.end()
        closed = matching(text[: opened + _TAIL], opened) if unclosed < 3 else None
        if closed is None:
            unclosed += 1
            inside = re.split(r"\$|\n", text[opened + 1 : opened + _TAIL], maxsplit=1)[0]
            made.append(Box(match.start(), opened + 1 + len(inside), inside, closed=False))
        else:
            made.append(Box(match.start(), closed + 1, text[opened + 1 : closed]))
    return made


def box_fault(solution: str) -> str | None:
    """What is wrong with the last box of a solution; null where nothing is."""
    found = boxes(_said(solution))
    if not found:
        return "no box"
    if not found[-1].closed:
        return "unclosed box"
    return None if found[-1].inside.strip(_EDGES) else "empty box"


def _boxed(text: str) -> Answer | None:
    found = [b for b in boxes(text) if b.inside.strip(_EDGES)]
    if not found:
        return None
    parts = [found[-1]]
    for box in reversed(found[:-1]):
        if not _joined(text[box.end : parts[0].start]):
            break
        parts.insert(0, box)
    unlike = dict.fromkeys(_cut(b.inside) for b in parts)
    return Answer(", ".join(unlike), BOXED)


_JOINT = re.compile(
    r"[\s,;$、，；]*(?:(?:and|or|和|或|以及)?[\s,$]*|\$?\s*(?:\\(?:text|quad|qquad|,|;)\s*(?:\{[^{}]*\})?\s*)+\$?)(?:[A-Za-z]\w?\s*=\s*)?[\s$]*"
)


def _joined(between: str) -> bool:
    """Whether no more than a comma, an `and` or a name stands between two boxes."""
    return len(between) < 60 and "\n\n" not in between and bool(_JOINT.fullmatch(between))


def _hashes(text: str) -> Answer | None:
    found = _HASHES.findall(text)
    return Answer(found[-1], HASHES) if found else None


def _tagged(text: str) -> Answer | None:
    found = _TAGGED.findall(text)
    return Answer(found[-1], PHRASE) if found else None


def _phrase(text: str) -> Answer | None:
    tail = text[-_TAIL:]
    for match in reversed(list(_IS.finditer(tail))):
        clause = _clause(tail[match.end() :])
        if clause:
            return Answer(_last_side(clause), PHRASE)
    return None


def _conclusion(text: str) -> Answer | None:
    """The value in a last sentence that concludes: behind its last `=`, else behind `is`, `are`, `有` and the like."""
    sentences = [s for s in _SENTENCE.split(text[-_TAIL:]) if s.strip(_EDGES)]
    if not sentences or not _SO.search(sentences[-1]):
        return None
    last = sentences[-1].strip(_EDGES + ".。")
    cue = _SO.search(last)
    start = cue.end() if cue else 0
    last = last[start:]
    if named := _NAMED_VALUES.search(last):
        return Answer(named[0], PHRASE)
    first, *_ = _ASIDES.split(last, maxsplit=1)
    main = first if _like_an_answer(first) else last
    head, sign, value = main.rpartition("=")
    if sign and not head.endswith(("<", ">", "!", "\\")) and _like_an_answer(value):
        return Answer(_clause(value), PHRASE)
    cues = list(_VALUE.finditer(main))
    said = [c for c in cues if _VERB.match(c[0])] or cues[:1]
    clause = _clause(main[said[-1].end() :]) if said else ""
    return Answer(clause, PHRASE) if clause and _like_an_answer(clause) else None


def _last_side(clause: str) -> str:
    """What a calculation of numbers comes to."""
    left, sign, right = clause.rpartition("=")
    computed = (
        sign
        and right.strip()
        and not re.search(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", "", left))
        and re.search(r"\d", left)
    )
    return right.strip() if computed else clause


def _clause(rest: str) -> str:
    """What stands up to the end of the clause; the formula it begins with, where it begins with one."""
    rest = rest.lstrip(" \t*:：\n")
    for opening, closing in (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")):
        if rest.startswith(opening) and (end := rest.find(closing, len(opening))) > 0:
            inside = rest[len(opening) : end]
            after = rest[end + len(closing) :]
            if re.match(r"\s*(?:,|and|or)\s*\$", after):
                break
            if "\n\n" not in inside and not re.match(r"\d", after):
                unit = re.match(r"\s*(?:\\?%|°|[A-Za-z]{1,12}(?=[\s.,]|$))", after)
                return inside.strip() + (f" {unit[0].strip()}" if unit and _is_unit(unit[0]) else "")
    clause = _cut(_CLAUSE_END.split(rest[:400], maxsplit=1)[0].strip("，, "))
    counted = _COUNTED.fullmatch(clause)
    return counted[1] or counted[2] if counted else clause


def _is_unit(word: str) -> bool:
    from dataflow.operators._lib.answers.measures import unit

    known = unit(word.strip())
    return bool(known and known.kind)


def _like_an_answer(clause: str) -> bool:
    return len(clause) <= 120 and bool(re.search(r"\d|\\|^\s*[(\[]?-?[A-Za-z](?![a-z])", clause))
