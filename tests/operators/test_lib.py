"""What operators share: final answers, choices, sentences, chunks, files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from dataflow.core.errors import ReplyError
from dataflow.operators._lib import answers
from dataflow.operators._lib.answer_bench import match
from dataflow.operators._lib.answers import Comparison, Verdict, agrees
from dataflow.operators._lib.choices import as_list, label_index, lettered, picked
from dataflow.operators._lib.chunks import chunks, estimated_tokens
from dataflow.operators._lib.files import write_text
from dataflow.operators._lib.grading import Grade, grade_answer
from dataflow.operators._lib.sentences import count_words, sentences


@pytest.mark.parametrize(
    ("reference", "prediction", "right"),
    [
        ("\\boxed{7}", "I get 7", True), ("Paris", "Paris was built in 1", False), ("12", "The sum is 12", True),
        ("3 apples", "He has 3", True), ("red", "The answer is red", True),
    ],
)  # fmt: skip
def test_agrees(reference: str, prediction: str, right: bool) -> None:
    assert agrees(reference, prediction) is right


def test_what_takes_too_long_to_compare_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a benchmark such a row has no score, and is no valid sample."""
    monkeypatch.setattr(answers, "compare", lambda *_: Comparison(Verdict.TIMEOUT))
    assert agrees("1", "2") is None
    assert agrees("1", "1") is True
    assert match("2", "1") is None
    row = {"pred": "I get 2"}
    assert grade_answer(row, ["1"]) == Grade(pred="2", error="undecided")
    assert grade_answer(row, ["1", "2"]) == Grade(1.0, "2")


def test_long_solutions_are_read_quickly() -> None:
    started = time.process_time()
    for text in (
        "the answer is " * 50_000,
        "boxed{" * 100_000,
        "1" * 500_000,
        "\\text{" * 100_000,
        "= " * 300_000,
    ):
        agrees("12", text)
    assert time.process_time() - started < 5


CHOICES = ["red", "a blue", "green", "x"]


@pytest.mark.parametrize(
    ("answer", "letters"),
    [
        ("B", "B"), ("b.", "B"), ("(b)", "B"), ("A, C", "AC"), ("a and c", "AC"), ("The answer is (C).", "C"),
        ('{"choices": ["A", "C"]}', "AC"), ('```json\n["B"]\n```', "B"), ('{"answer": "D"}', "D"), ("[1, 2]", "BC"),
        ("Red", "A"), ("The answer is a blue.", "B"), ("1", "B"), ("Answer: B. because A is wrong", "B"),
        ("answers are A, C", "AC"), ("B) because", "B"), ("so it is **D**", "D"), ("\\boxed{B}", "B"), ("I pick B", "B"),
        ("Option B is right", "B"), ("The choice A is wrong, so C.", "C"), ("<think>A</think>C", "C"),
        ("I think a cat is nice", ""), ("I", ""), ("nothing here", ""), ("[see above] {", ""), ('{"x": 1}', ""),
    ],
)  # fmt: skip
def test_picked(answer: str, letters: str) -> None:
    if letters:
        assert picked(answer, CHOICES) == {ord(c) - ord("A") for c in letters}
    else:
        with pytest.raises(ReplyError):
            picked(answer, CHOICES)


@pytest.mark.parametrize(
    ("label", "index"),
    [(0, 0), (3, 3), (4, 3), (5, None), (-1, None), ("B", 1), ("z", None), ("2", 2), ("green", 2), ("pink", None),
     (True, None), (None, None), (1.0, 1), (1.5, None)],
)  # fmt: skip
def test_label_index(label: Any, index: int | None) -> None:
    assert label_index(label, CHOICES) == index


def test_lists_in_cells() -> None:
    assert as_list("a||b; c", "|| | ;") == ["a", "b; c"]
    assert as_list("a; b", "|| | ;") == ["a", "b"]
    assert as_list('["a", 1]') == ["a", 1]
    assert as_list("plain") == ["plain"]
    assert as_list("3") == [3]
    assert as_list(None) == []
    assert lettered(["x", {"y": 1}]) == 'A. x\nB. {"y":1}'


def test_sentences_and_words() -> None:
    text = (
        "Dr. Smith paid 3.5 crowns. He left at 5 p.m. on time! Was it J. Doe?\n\nNo full stop\n\n你好。世界！"
    )
    assert sentences(text) == [
        "Dr. Smith paid 3.5 crowns.", "He left at 5 p.m. on time!", "Was it J. Doe?", "No full stop", "你好。", "世界！",
    ]  # fmt: skip
    assert sentences("no end") == ["no end"]
    assert sentences("") == []
    assert count_words("Hello world, 你好世界") == 6


@pytest.mark.parametrize(
    "text",
    ["", "one", "a b c " * 99, "line\n" * 50, "x" * 333, "句子。" * 99, "Ends. Here! " * 40, "\n\n \n"],
)
def test_chunks_join_to_the_text_and_fit(text: str) -> None:
    made = list(chunks(text, 10))
    assert "".join(made) == text
    assert all(estimated_tokens(c) <= 10 for c in made)


def test_chunks_do_not_cut_words_and_take_linear_time() -> None:
    assert all(c.strip().split()[0] == "word" for c in chunks("word " * 1000, 7))
    started = time.process_time()
    list(chunks("some words in a row " * 100_000, 100))
    assert time.process_time() - started < 5


def test_a_file_is_written_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "a.txt"
    write_text(target, "first\r\n")
    assert target.read_bytes() == b"first\r\n"
    with pytest.raises(TypeError):
        write_text(target, 3)  # type: ignore[arg-type]
    assert target.read_bytes() == b"first\r\n"
    assert [p.name for p in target.parent.iterdir()] == ["a.txt"]
