"""What is read in replies, well-formed and not; what cannot be read raises and is never a made-up value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow.core.errors import ReplyError
from dataflow.core.replies import clip, parse_json, parse_score, parse_verdict, unfenced, without_thinking

FAILED = object()


def read(parse: Any, *args: Any, **settings: Any) -> Any:
    try:
        return parse(*args, **settings)
    except ReplyError:
        return FAILED


@pytest.mark.parametrize(
    ("reply", "kind", "value"),
    [
        ('{"a": 1}', dict, {"a": 1}),
        (' \n{"a": 1}\n', dict, {"a": 1}),
        ('\ufeff{"a": 1}', dict, {"a": 1}),
        ('```json\n{"a": 1}\n```', dict, {"a": 1}),
        ('```\n{"a": 1}\n```', dict, {"a": 1}),
        ('Sure!\n```json\n{"a": 1}\n```\nAnything else? {"z": 2}', dict, {"a": 1}),
        ('```json\n{"a": 1}', dict, {"a": 1}),
        ('```json\n{"a": "```x```"}\n```', dict, {"a": "```x```"}),
        ('Here: {"a": {"b": [1, 2]}} as asked.', dict, {"a": {"b": [1, 2]}}),
        ('{"a": 1,}', dict, {"a": 1}),
        ("[1, 2,]", list, [1, 2]),
        ("{'a': 'b'}", dict, {"a": "b"}),
        ("{a: 1}", dict, {"a": 1}),
        ('{"a": "two\nlines"}', dict, {"a": "two\nlines"}),
        ('{"a": 1, "b": [1, 2', dict, {"a": 1, "b": [1, 2]}),
        ('<think>{"x": 1}</think>{"a": 1}', dict, {"a": 1}),
        ('<think>{"x": 1}</think>\n<answer>{"a": 1}</answer>', dict, {"a": 1}),
        ('<think>{"x": 1}', dict, FAILED),
        ('[{"a": 1}, {"b": 2}]', dict, {"a": 1}),
        ('[{"a": 1}, {"b": 2}]', list, [{"a": 1}, {"b": 2}]),
        ('{"a": 1}\n{"b": 2}', dict, {"a": 1}),
        ('{"a": 1} and {broken', dict, {"a": 1}),
        ("[[1], [2]]", (dict, list), [[1], [2]]),
        ("[]", list, []),
        ("{}", dict, {}),
        ("[]", dict, FAILED),
        ('{"a": 1}', list, FAILED),
        ("5", int, 5),
        ("5", dict, FAILED),
        ("true", bool, True),
        ('"text"', dict, FAILED),
        ('{"a": 12345678901234567890123}', dict, {"a": 12345678901234567890123}),
        ('{"a": "\\ud800"}', dict, {"a": "\ud800"}),
        ("no JSON here", (dict, list), FAILED),
        ("", dict, FAILED),
        ("null", dict, FAILED),
        ("{" * 3000, dict, FAILED),
        ("[" * 3000, list, FAILED),
    ],
    ids=lambda v: ascii(v)[:40],
)
def test_json(reply: str, kind: Any, value: Any) -> None:
    assert read(parse_json, reply, kind) == value


plain_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(), v, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), plain_json))
def test_json_is_found_bare_and_fenced(value: dict[str, Any]) -> None:
    text = json.dumps(value)
    for reply in (text, f"```json\n{text}\n```", f"<think>hm</think>{text}"):
        assert parse_json(reply, dict) == value


@given(st.text())
def test_any_text_is_read_or_refused(reply: str) -> None:
    for parse in (parse_json, parse_score, parse_verdict):
        read(parse, reply)


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ("4", 4),
        (" 4.\n", 4),
        ("[4]", 4),
        ("4/5", 4),
        ("4.0/5", 4),
        ("4 / 5 because of 2 things", 4),
        ("4 stars out of 5", 4),
        ("4 out of 5. The 3 reasons", 4),
        ("4/5 (1 = worst, 5 = best)", 4),
        ("1/2 of it is right: 3", 3),
        ("Score: 4", 4),
        ("**Score:** 4", 4),
        ("**Score: 4**", 4),
        ("Score: **5** / 5", 5),
        ("Score: 5.0", 5),
        ("Score: +4", 4),
        ("Score:\n\n4", 4),
        ("score is 3", 3),
        ("Rating: 4 of 5", 4),
        ("grade = 2, for 3 reasons", 2),
        ("Reason: 2 slips.\nScore: 3", 3),
        ("Score: 3\nReason: 2 slips.", 3),
        ("Clarity score: 3\nOverall score: 5", 5),
        ('{"score": 4}', 4),
        ('{"overall_score": "4"}', 4),
        ("Score (1-5): 4", 4),
        ("Score (1 to 5): 4\nThere are 3 flaws", 4),
        ("On a scale of 1 to 5, I give 4", 4),
        ("I rate it 4 on a scale of 1 to 5", 4),
        ("<think>Score: 2</think>Score: 4", 4),
        ("Score: 3-4", FAILED),
        ("Score: 3–4", FAILED),
        ("Score: 10", FAILED),
        ("8/10", FAILED),
        ("0", FAILED),
        ("-3", FAILED),
        ("Score: -3", FAILED),
        ("4.5", FAILED),
        ("Score: 4.5", FAILED),
        ("1,000", FAILED),
        ("1e1", FAILED),
        ("Score: four", FAILED),
        ("\u0663", FAILED),
        ("Score: \u0663", FAILED),
        ("\u00b2", FAILED),
        ("\uff14", FAILED),
        ("GPT-4", FAILED),
        ("v2", FAILED),
        ("3rd", FAILED),
        ("1.2.3", FAILED),
        ("<think>Score: 2", FAILED),
        ("", FAILED),
    ],
    ids=ascii,
)
def test_score(reply: str, score: object) -> None:
    assert read(parse_score, reply) == score


@pytest.mark.parametrize(
    ("reply", "low", "high", "score"),
    [
        ("Score: 0.75", 0, 1, 0.75),
        ("8/10", 1, 10, 8.0),
        ("-2", -5, 5, -2.0),
        ("1.5", 0, 1, FAILED),
        ("nan", 0, 1, FAILED),
        ("inf", 0, 1, FAILED),
    ],
)
def test_score_on_other_scales(reply: str, low: float, high: float, score: object) -> None:
    got = read(parse_score, reply, low, high, whole=False)
    assert got == score
    assert got is FAILED or isinstance(got, float)


@given(st.text(), st.integers(-20, 20), st.text())
def test_a_score_is_never_off_its_scale(before: str, number: int, after: str) -> None:
    got = read(parse_score, f"{before}{number}{after}")
    assert got is FAILED or got in (1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("true", True),
        ("TRUE.", True),
        ("No", False),
        ("incorrect", False),
        ("yes, it is correct", True),
        ("**judgement_result**: true", True),
        ('{"judgement_result": true}', True),
        ('{"judgement_result": "False", "note": "true but late"}', False),
        ("judgement_result = True", True),
        ("The step is not sound.\njudgement_result: false", False),
        ("<think>no</think>yes", True),
        ("not true", FAILED),
        ("It isn't true", FAILED),
        ("It isn\u2019t true", FAILED),
        ("It doesn't look correct", FAILED),
        ("It cannot be true", FAILED),
        ("never true", FAILED),
        ("neither correct", FAILED),
        ("true and false", FAILED),
        ("untrue", FAILED),
        ('{"judgement_result": null}', FAILED),
        ("", FAILED),
    ],
    ids=ascii,
)
def test_verdict(reply: str, verdict: object) -> None:
    assert read(parse_verdict, reply) is verdict


def test_verdict_of_another_field() -> None:
    assert parse_verdict('{"pass": false}', key="pass") is False
    assert parse_verdict('{"a.b": true, "c": "no"}', key="a.b") is True


@pytest.mark.parametrize("parse", [parse_json, parse_score, parse_verdict])
def test_errors_quote_the_reply_in_short(parse: Any) -> None:
    with pytest.raises(ReplyError, match=r"no .* in the reply 'blah blah .*…'") as caught:
        parse("blah " * 1000)
    assert len(str(caught.value)) < 150


def test_parts_of_a_reply() -> None:
    assert without_thinking("<think>a</think> b <think>c</think>") == "b"
    assert without_thinking("b <think>unclosed") == "b"
    assert unfenced("x ```python\na = 1\n``` y ```b```") == "a = 1"
    assert unfenced("no fence") == "no fence"
    assert clip("ab") == "'ab'"


@pytest.mark.parametrize("form", ["{}", "```json\n{}\n```", "<think>hm</think>{}"])
def test_tags_inside_of_json_are_no_thoughts(form: str) -> None:
    value = {"<think>": None, "a": "so <think>it</think> is"}
    assert parse_json(form.replace("{}", json.dumps(value)), dict) == value
