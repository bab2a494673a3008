"""From a text to questions and answers: cut it into passages, ask, and check the answers against the passage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field

from dataflow.core.errors import ReplyError
from dataflow.core.generate import Generate, Judge
from dataflow.core.ports import In, Out
from dataflow.core.prompt import Prompt
from dataflow.core.replies import clip, parse_json
from dataflow.core.rows import Expand, Filter, Verdict
from dataflow.prompts.passages import GroundedAnswerPrompt, PassageQAPrompt

_PARAGRAPH = re.compile(r"\n\s*\n")
_SENTENCE = re.compile(r"(?<=[.!?。！？])(?:[\"'”’)\]]*)\s+|(?<=[。！？])")

_WORD = re.compile(r"\w{4,}")
_POINTING = re.compile(
    r"\b(?:the|this|that) (?:passage|text|chapter|excerpt|paragraph|author|writer|narrator|speaker|story)\b|\bmain (?:idea|subject|topic|point|purpose)\b",
    re.IGNORECASE,
)


class PassageSplitter(Expand):
    """Cut a text into passages of whole paragraphs, or of whole sentences where a paragraph is too long.

    A single sentence longer than `max_chars` stays whole. A passage shorter than `min_chars`, such as a heading, is
    joined to the next one, or to the last. Blank texts make no rows.
    """

    max_chars: int = Field(1000, ge=1)
    """Longest passage, in characters, unless one sentence is longer."""
    min_chars: int = Field(200, ge=0)
    """Shorter passages are joined to a neighbour."""
    max_passages: int | None = Field(None, ge=1)
    """At most so many passages a text, spread evenly over it; all where left out."""

    input_key = In("text", "the text to cut")
    output_key = Out("passage", "one passage, stripped")

    def expand(self, text: str) -> list[str]:
        passages = list(self._packed(self._pieces(text)))
        if self.max_passages is None or len(passages) <= self.max_passages:
            return passages
        step = len(passages) / self.max_passages
        return [passages[int(i * step)] for i in range(self.max_passages)]

    def _pieces(self, text: str) -> Iterator[tuple[str, str]]:
        """Paragraphs, or the sentences of one that is too long; each with what joins it to the piece before."""
        for paragraph in _PARAGRAPH.split(text):
            whole = paragraph.strip()
            parts = [whole] if len(whole) <= self.max_chars else _SENTENCE.split(whole)
            for i, part in enumerate(p for p in parts if p and p.strip()):
                yield ("\n\n" if i == 0 else " "), part.strip()

    def _packed(self, pieces: Iterator[tuple[str, str]]) -> Iterator[str]:
        held = ""
        for joint, piece in pieces:
            longer = held + joint + piece if held else piece
            if held and len(longer) > self.max_chars and len(held) >= self.min_chars:
                yield held
                held = piece
            else:
                held = longer
        if held:
            yield held


class PassageQAGenerator(Generate):
    """Make one question and its answer from each passage: one model call a row, held to a JSON schema."""

    default_prompt: ClassVar[Prompt] = PassageQAPrompt()
    input_passage_key = In("passage", "what the question is about")
    output_question_key = Out("question", "a question that the passage answers")
    output_answer_key = Out("answer", "its answer")

    def parse(self, reply: str) -> tuple[Any, Any]:
        made = parse_json(reply, dict)
        if absent := [k for k in ("question", "answer") if not isinstance(made.get(k), str)]:
            raise ReplyError(f"no {' and no '.join(absent)} in the reply {clip(reply)}")
        return made["question"].strip(), made["answer"].strip()


class SelfContainedQuestionFilter(Filter):
    """Keep questions that can be understood without the text they were made from.

    Dropped are those that point at it with words such as `the passage`, `the author` or `the main idea` (English).
    """

    input_key = In("question", "the question")

    def keep(self, question: str) -> bool | tuple[bool, str]:
        pointed = _POINTING.search(question)
        return (False, f"points at {pointed.group().lower()!r}") if pointed else True


class AnswerOverlapFilter(Filter):
    """Keep answers whose words stand in the passage they were made from.

    That is a cheap sign that nothing is invented. The overlap is the share of the answer's words of four letters or
    more, in lower case, that the passage has too; an answer without such words is kept.
    """

    measured: ClassVar[str] = "overlap"

    min_overlap: float = Field(0.6, ge=0, le=1)
    """Least share of the answer's words found in the passage."""

    input_answer_key = In("answer", "the answer")
    input_passage_key = In("passage", "what it should rest on")

    def keep(self, answer: str, passage: str) -> Verdict:
        said, given = set(_WORD.findall(answer.lower())), set(_WORD.findall(passage.lower()))
        overlap = len(said & given) / len(said) if said else 1.0
        return self.keeps(overlap), f"less than {self.min_overlap:.0%} of its words in the passage", overlap

    def keeps(self, measure: Any) -> Any:
        return measure >= self.min_overlap


class GroundedAnswerSampleEvaluator(Judge):
    """Score from 1 to 5 how well a passage supports an answer to a question: one model call a row."""

    default_prompt: ClassVar[Prompt] = GroundedAnswerPrompt()
    input_passage_key = In("passage", "what the answer should rest on")
    input_question_key = In("question", "the question")
    input_answer_key = In("answer", "the answer to be judged")
    output_key = Out("score", "5: the passage plainly says so; 1: it does not", type="int")
