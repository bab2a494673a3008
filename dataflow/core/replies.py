"""Reading what models reply: JSON inside prose, scores, verdicts. Never a fake value: what cannot be read raises."""

from __future__ import annotations

import re
from typing import Any

import json_repair

from dataflow.core.errors import ReplyError
from dataflow.core.frames import loads

_THINKING = re.compile(r"<think>.*?</think>", re.DOTALL)
_FIRST_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCE = re.compile(r"```[\w+-]*[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)
_NUMBER = r"(?<![\w.,-])-?\d+(?:\.\d+)?"
_SCORE = re.compile(rf"({_NUMBER})(?:\s*(?:/|out of|of)\s*\d+)?(?![\w/]|[.,]\d)", re.ASCII | re.IGNORECASE)
_FRACTION = re.compile(
    rf"({_NUMBER})\s*(?:stars?|points?)?\s*(?:/|out of|of)\s*(\d+(?:\.\d+)?)(?![\w/]|[.,]\d)",
    re.ASCII | re.IGNORECASE,
)
_RANGE = re.compile(
    r"(?<![\w.,-])\d+(?:\.\d+)?(?:[-–—]|\s+to\s+)\d+(?:\.\d+)?(?![\w-])", re.ASCII | re.IGNORECASE
)
_LABELLED = re.compile(
    rf"(?:score|rating|grade|grading)\W{{0,12}}(?:is|of|=)?\W{{0,4}}({_NUMBER})(?![\w]|[.,]\d)",
    re.ASCII | re.IGNORECASE,
)
_NEGATED = re.compile(r"\b(?:not|never|cannot|neither|nor|hardly)\b|n['’]t\b", re.IGNORECASE)
_VERDICT = re.compile(r"\b(true|false|yes|no|correct|incorrect)\b", re.IGNORECASE)
_SHOWN = 80


def without_thinking(reply: str) -> str:
    """The reply without `<think>…</think>` parts and `<answer>` tags; an unclosed thought is dropped to the end."""
    said = _THINKING.sub("", reply).partition("<think>")[0].strip()
    return said.removeprefix("<answer>").removesuffix("</answer>").strip()


def unfenced(reply: str) -> str:
    """The inside of the first code fence, or the reply itself."""
    match = _FENCE.search(reply)
    return match.group(1) if match else reply


def parse_json(reply: str, kind: type | tuple[type, ...] = (dict, list)) -> Any:
    """The first JSON value of that kind in a reply: bare, fenced, or inside prose; small faults are mended.

    Raises:
        ReplyError: there is none.
    """
    text = without_thinking(reply)
    bare = _FIRST_THOUGHT.sub("", reply)  # a tag inside of a JSON text is no thought
    for candidate in dict.fromkeys((bare, unfenced(bare), text, unfenced(text))):
        try:
            value = loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, kind):
            return value
    return _mended(text, kind, reply)


def _mended(text: str, kind: type | tuple[type, ...], reply: str) -> Any:
    openers = {dict: "{", list: "["}
    wanted = [openers[k] for k in (kind if isinstance(kind, tuple) else (kind,)) if k in openers]
    for body in dict.fromkeys((unfenced(text), text)):
        starts = sorted(i for i in (body.find(o) for o in wanted) if i >= 0)
        for start in starts:
            value = _repaired(body[start:])
            if isinstance(value, list) and dict in _kinds(kind) and list not in _kinds(kind):
                value = next((v for v in value if isinstance(v, dict)), None)
            if isinstance(value, kind) and value:
                return value
    raise ReplyError(f"no JSON in the reply {clip(reply)}")


def _repaired(text: str) -> Any:
    try:
        return json_repair.loads(text)
    except (ValueError, RecursionError):  # nested beyond all reason
        return None


def _kinds(kind: type | tuple[type, ...]) -> tuple[type, ...]:
    return kind if isinstance(kind, tuple) else (kind,)


def parse_score(reply: str, low: float = 1, high: float = 5, *, whole: bool = True) -> int | float:
    """The score a reply gives: a number after a word like `score`, else one out of `high`, else its last number.

    `4/5` is 4. The two ends of a range (`1-5`, `1 to 5`) are no scores.

    Raises:
        ReplyError: no number, one outside `[low, high]`, or a fraction where whole numbers are asked for.
    """
    text = _RANGE.sub(" ", without_thinking(reply).replace("*", "").replace("_", " "))
    of_high = [number for number, most in _FRACTION.findall(text) if float(most) == high]
    found = _LABELLED.findall(text) or of_high or _SCORE.findall(text)
    if not found:
        raise ReplyError(f"no score in the reply {clip(reply)}")
    score = float(found[-1])
    if not low <= score <= high:
        raise ReplyError(f"the score {found[-1]} is not from {low:g} to {high:g}, in the reply {clip(reply)}")
    if not whole:
        return score
    if score != int(score):
        raise ReplyError(f"the score {found[-1]} is not a whole number, in the reply {clip(reply)}")
    return int(score)


def parse_verdict(reply: str, key: str = "judgement_result") -> bool:
    """The yes or no of a reply: a JSON field, else its only verdict word (`not true` is none).

    Raises:
        ReplyError: no verdict, or both.
    """
    text = without_thinking(reply)
    field = re.search(rf'"?{re.escape(key)}"?\s*[:=]\s*"?(true|false)', text, re.IGNORECASE)
    if field:
        return field.group(1).lower() == "true"
    words = {w.lower() in ("true", "yes", "correct") for w in _VERDICT.findall(text)}
    if len(words) != 1 or _NEGATED.search(text):
        raise ReplyError(f"no clear verdict in the reply {clip(reply)}")
    return words.pop()


def clip(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
