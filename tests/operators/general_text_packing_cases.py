"""Cutting and joining texts to a length."""

from __future__ import annotations

from dataflow.operators.general_text.packing import SequencePackRefiner, TokenChunkSplitter
from dataflow.testing import Case, expands


def packed(op: SequencePackRefiner, texts: list[str | None], *sequences: tuple[str, int, int]) -> Case:
    names = ("raw_content", "sequence_size", "sequence_texts")
    gives = [dict(zip(names, sequence, strict=True)) for sequence in sequences]
    return Case(op, [{"raw_content": text} for text in texts], gives)


CASES = [
    expands(TokenChunkSplitter(3), ["one two three four", "a b", " ", "", None], ["one two three", " four", "a b"]),
    expands(TokenChunkSplitter(4, unit="char"), ["abcdefghij", "ab\ncd\n"], ["ab", "cde", "fg", "hij", "ab\n", "cd\n"]),
    expands(TokenChunkSplitter(2, "whitespace"), ["the whale. the"], ["the", " whale. ", "the"]),
    packed(
        SequencePackRefiner(4, separator=" "),
        ["a b c", "d e", None, "f", "g h", " ", "1 2 3 4 5"],
        ("a b c f", 4, 2), ("d e g h", 4, 2),
    ),
    packed(
        SequencePackRefiner(4, separator=" ", method="in_order"),
        ["a b c", "d e", "f", "g h"],
        ("a b c", 3, 1), ("d e f", 3, 2), ("g h", 2, 1),
    ),
    packed(SequencePackRefiner(5, separator=" | "), ["a b", "c d", "e f"], ("a b | c d", 5, 2), ("e f", 2, 1)),
    packed(SequencePackRefiner(5, unit="char", separator="|"), ["ab", "cde", "fg"], ("ab|fg", 5, 2), ("cde", 3, 1)),
    packed(SequencePackRefiner(4, "whitespace", separator="."), ["the whale", "whale", "the the the the"], ("the whale.whale", 4, 2), ("the the the the", 4, 1)),
    Case(
        SequencePackRefiner(10),
        [{"raw_content": "a", "n": 7}, {"raw_content": "b", "n": 3}, {"raw_content": "c", "n": 11}, {"raw_content": "d", "n": None}],
        [{"raw_content": "a\n\nb", "sequence_size": 10}],
        {"input_size_key": "n"},
        dropped=3,
    ),
]  # fmt: skip
