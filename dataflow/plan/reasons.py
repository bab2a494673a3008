"""Why a stage is made anew: an account of all that decides its rows, and the differences of two such accounts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from posixpath import commonprefix
from typing import Any

from dataflow.core.frames import dumps, loads
from dataflow.plan.fingerprint import digest, of_call
from dataflow.plan.trace import Call

Step = Mapping[str, Any]
Pair = tuple[Step | None, Step | None]
_SHOWN = 60
_AROUND = 12
"""Characters shown of a long text before and after the part that differs."""
_CODE = re.compile(r"(^|#)[0-9a-f]{24}$")
_SECRET = re.compile(
    r"(^|_)(api_?key|secret|password|passwd|authorization|credentials?|private_key|access_key|(api|access|auth|hf|bearer)_?token)$|^token$",
    re.IGNORECASE,
)
_IN_URL = re.compile(r"(?<=://)[^/\s@]+@|(?<=[?&])((?:api[-_]?key|key|token|access_token|sig)=)[^&\s]+", re.I)
_WORDS = {
    "template": "words",
    "system": "system part",
    "reply": "reply shape",
    "prompt": "name",
    "url": "address",
}


def account_of(source_fingerprint: str, calls: Sequence[Call], **facts: Any) -> dict[str, Any]:
    """All that decides what these steps make of a source, as plain JSON without secrets.

    `facts` are whatever else decides it, like the number of rows taken; they are compared as they are.
    """
    storage = calls[0].storage if calls else None
    steps = [{"step": c.step, "name": c.name, "inputs": c.inputs, **of_call(c)} for c in calls]
    account: dict[str, Any] = loads(dumps(masked({
        "source": source_fingerprint, "input": str(getattr(storage, "first_entry_file_name", "") or ""),
        "facts": facts, "steps": steps,
    })))  # fmt: skip
    return account


def masked(value: Any, name: str = "") -> Any:
    """The value with what looks like a key or a password replaced: by its name, or inside an address."""
    if isinstance(value, Mapping):
        return {k: masked(v, str(k)) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(v, name) for v in value]
    if not isinstance(value, str) or not value:
        return value
    if _SECRET.search(name):
        return f"…{digest(value)[:4]}"
    return _IN_URL.sub(lambda m: f"{m[1] or ''}…" + ("" if m[1] else "@"), value)


def why(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The differences of two accounts, a sentence each, the most telling first; none where nothing differs."""
    pairs = _paired(before["steps"], now["steps"])
    order = [*_of_order(pairs)]
    return [*_of_source(before, now), *_of_version(pairs), *(order or _of_branches(pairs)), *_of_steps(pairs)]


def _of_source(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if before["source"] != now["source"]:
        old, new = before["input"], now["input"]
        yield f"the input changed: {new or 'none'}" if old == new else f"another input: {old!r} -> {new!r}"
    for path, was, is_now in _differences(before["facts"], now["facts"]):
        yield f"{'.'.join(path)} {' -> '.join(_apart(was, is_now))}"


def _of_version(pairs: Sequence[Pair]) -> Iterator[str]:
    versions = {(a["version"], b["version"]) for a, b in pairs if a and b}
    for old, new in sorted(versions):
        if old != new:
            yield f"dataflow itself changed: {old} -> {new}"


def _of_order(pairs: Sequence[Pair]) -> Iterator[str]:
    """Steps that came, went, moved or gave way to others."""
    kept = [(a, b) for a, b in pairs if a and b]
    stayed = _longest_rise([a["step"] for a, _ in kept])
    for old, new in kept:
        if old["name"] != new["name"]:
            yield f"step {new['step']}: {old['name']} was replaced by {new['name']}"
        elif old["step"] not in stayed:
            yield f"step {old['step']} {old['name']} moved to step {new['step']}"
    yield from (f"step {a['step']} {a['name']} was removed" for a, b in pairs if a and not b)
    yield from (f"step {b['step']} {b['name']} was added" for a, b in pairs if b and not a)


def _of_branches(pairs: Sequence[Pair]) -> Iterator[str]:
    """Steps that read other tables than before, where none came, went or moved."""
    for old, new in pairs:
        if old and new and old["inputs"] != new["inputs"]:
            was, is_now = (" and ".join(map(str, s["inputs"])) for s in (old, new))
            yield f"step {new['step']} {new['name']} reads the table of step {is_now}, no longer of step {was}"


def _longest_rise(numbers: Sequence[int]) -> set[int]:
    """The most numbers that stand in rising order: the fewest others have moved."""
    blocks = SequenceMatcher(None, sorted(numbers), numbers, autojunk=False).get_matching_blocks()
    return {n for block in blocks for n in numbers[block.b : block.b + block.size]}


def _of_steps(pairs: Sequence[Pair]) -> Iterator[str]:
    for old, new in pairs:
        if old and new and old["name"] == new["name"]:
            where = f"step {new['step']} {new['name']}"
            yield from (f"{where}: {told}" for told in dict.fromkeys(_of_step(old, new)))


def _of_step(old: Step, new: Step) -> Iterator[str]:
    """What differs in one step: models and prompts, other settings, columns, and last its code."""
    told = sorted(_differences(_settings(old), _settings(new)), key=lambda d: _rank(d[0]))
    yield from (_sentence(*d) for d in told)
    yield from (_sentence(*d) for d in _differences(_keys(old), _keys(new)))
    if old["operator"] != new["operator"] and not _shipped_anew(old, new):
        yield "its code changed"
    if not told and old["prompts"] != new["prompts"] and not _shipped_anew(old, new):
        yield "the code of the prompts that it takes changed"


def _shipped_anew(old: Step, new: Step) -> bool:
    """Whether the code is this package's own, of another version."""
    ours = all(s["operator"].startswith("dataflow.") for s in (old, new))
    return ours and old["version"] != new["version"]


def _settings(step: Step) -> Any:
    """The settings, without what only repeats another: a prompt's version, a serving's second name of its model."""
    return {k: _lean(v) for k, v in step["settings"].items()}


def _lean(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    repeats = {"version"} if "prompt" in value else set()
    repeats |= {"embedding"} if value.get("embedding") == value.get("model") else set()
    return {k: _lean(v) for k, v in value.items() if k not in repeats}


def _keys(step: Step) -> dict[str, Any]:
    return {**step["call"], **step["args"], **step["reads"], **step["writes"]}


def _differences(
    old: Any, new: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Each place where two settings differ, with what was and what is there."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in {**old, **new}:
            yield from _differences(old.get(key), new.get(key), (*path, str(key)))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from _differences(a, b, (*path[:-1], f"{path[-1]}[{i}]"))
    elif dumps(old) != dumps(new):
        yield path, old, new


def _rank(path: tuple[str, ...]) -> int:
    """Models first, then prompts, then the rest."""
    leaf = path[-1]
    if len(path) > 1 and leaf in ("model", "model_name"):
        return 0
    return 1 if "prompt" in path[0] else 2


def _sentence(path: tuple[str, ...], old: Any, new: Any) -> str:
    """`the model of llm_serving changed: 'a' -> 'b'`, `temperature of llm_serving 0.0 -> 0.7`, `min_score 3 -> 4`."""
    inner = [p for p in path[1:] if p not in ("state", "sampling", "class")]
    if any(isinstance(v, str) and _CODE.search(v) for v in (old, new)):
        return f"the code of {' '.join([path[0], *inner])} changed"
    was, is_now = _apart(old, new)
    if not inner:
        verb = " changed:" if "prompt" in path[0] else ""
        return f"{path[0]}{verb} {was} -> {is_now}"
    leaf = inner[-1]
    if leaf in ("model", "model_name"):
        return f"the model of {path[0]} changed: {was} -> {is_now}"
    if leaf in _WORDS:
        return f"the {_WORDS[leaf]} of {path[0]} changed: {was} -> {is_now}"
    return f"{'.'.join(inner)} of {path[0]} {was} -> {is_now}"


def _apart(old: Any, new: Any) -> tuple[str, str]:
    """Both values, short; of long ones the parts around what differs."""
    texts = _text(old), _text(new)
    if max(map(len, texts)) <= _SHOWN:
        return _quoted(texts[0], old), _quoted(texts[1], new)
    first = len(commonprefix(texts))
    last = len(commonprefix([t[first:][::-1] for t in texts]))
    start = first - _AROUND if first > _AROUND else 0
    ends = [len(t) - max(0, last - _AROUND) for t in texts]
    was, is_now = (_cut(t, start, end) for t, end in zip(texts, ends, strict=True))
    return _quoted(was, old), _quoted(is_now, new)


def _cut(text: str, start: int, end: int) -> str:
    end = min(end, start + _SHOWN)
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


def _quoted(text: str, value: Any) -> str:
    return repr(text) if isinstance(value, str) else text


def _text(value: Any) -> str:
    """A value on one line; a prompt by its words, a serving by its model."""
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        state = value.get("state")
        told = state.get("template") if isinstance(state, Mapping) else value.get("model")
        return str(told) if told else dumps(value)
    return " ".join(value.split()) if isinstance(value, str) else dumps(value)


def _paired(before: Sequence[Step], now: Sequence[Step]) -> list[Pair]:
    """The steps of both, those that belong together side by side, in the order of `now`; removed ones at the end."""
    partner = _aligned(range(len(before)), range(len(now)), before, now, (_whole, _place, _name))
    for same in (_whole, _place):
        for j in [j for j in range(len(now)) if j not in partner]:
            free = (i for i in range(len(before)) if i not in partner.values())
            if (i := next((i for i in free if same(before[i]) == same(now[j])), None)) is not None:
                partner[j] = i
    for j in [j for j in range(len(now)) if j not in partner]:
        i = partner.get(j - 1, -1) + 1
        if (j == 0 or j - 1 in partner) and i < len(before) and i not in partner.values():
            partner[j] = i
    kept: list[Pair] = [(before[partner[j]] if j in partner else None, new) for j, new in enumerate(now)]
    return kept + [(old, None) for i, old in enumerate(before) if i not in partner.values()]


def _aligned(
    old: range,
    new: range,
    before: Sequence[Step],
    now: Sequence[Step],
    known: Sequence[Callable[[Step], str]],
) -> dict[int, int]:
    """The old place of each new one that kept its order: first steps that are equal, between them those alike."""
    if not known or not old or not new:
        return {}
    ours, theirs = [known[0](before[i]) for i in old], [known[0](now[j]) for j in new]
    found: dict[int, int] = {}
    for tag, i, k, j, m in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if tag == "equal":
            found |= dict(zip(new[j:m], old[i:k], strict=True))
        else:
            found |= _aligned(old[i:k], new[j:m], before, now, known[1:])
    return found


def _whole(step: Step) -> str:
    return digest({k: v for k, v in step.items() if k not in ("step", "inputs", "version")})


def _place(step: Step) -> str:
    return digest(step["name"], step["writes"])


def _name(step: Step) -> str:
    return str(step["name"])
