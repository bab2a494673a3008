"""Questions of three levels from a tree of topics, their answers, and better answers (Condor, arXiv 2501.12273)."""

from __future__ import annotations

import re
from itertools import zip_longest
from random import Random
from typing import Any, ClassVar

from pydantic import Field

from dataflow.core.asking import Ask, together
from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text
from dataflow.core.generate import Generate, Source, build
from dataflow.core.ports import Binding, In, Out
from dataflow.core.prompt import DIYPromptABC, PromptABC, prompt_restrict
from dataflow.core.protocols import Request
from dataflow.core.replies import clip, without_thinking
from dataflow.operators._lib.replies import bare, read_object
from dataflow.prompts.text_sft import (
    CondorAnswerPrompt,
    CondorQuestionPrompt,
    CondorRefinePrompt,
    LevelledQuestions,
)

LEVELS = ("Easy", "Medium", "Hard")
_QUESTIONS, _ANSWER, _REFINE = CondorQuestionPrompt(), CondorAnswerPrompt(), CondorRefinePrompt()
_LEVEL = re.compile(
    r"^[ \t*#>-]*\[?(easy|medium|hard)(?:\][ \t*]*[:：]?|[ \t*]*[:：]|\*\*)[ \t*]*",
    re.IGNORECASE | re.MULTILINE,
)
_MARK = re.compile(r"\[\s*/?\s*question(?:[ _]?(?:start|end))?\s*\]|</?question>", re.IGNORECASE)
_FORM = ("", "the new answer", "improved", "…")
"""What models write where an answer should stand."""
_FEW_WORDS = 5
"""An answer of no more may stand in the question: one of two things, say."""
_OPEN, _CLOSED = re.compile(r"<improved>", re.IGNORECASE), re.compile(r"</improved>", re.IGNORECASE)


@prompt_restrict(CondorQuestionPrompt)
class CondorGenerator(Source):
    """Make up questions of three levels on many topics, and answer them: four model calls for three rows.

    A first call asks for an easy, a medium and a hard question about one theme, three more answer them (Condor, arXiv
    2501.12273). Themes are drawn by `seed` from a tree of 35 topics, 175 domains and 525 themes, none twice before all
    were drawn. Questions may have several lines. Where a question or an answer cannot be read, an answer breaks off at
    the model's length limit, or two levels get one question, the three rows fail together and can be retried.
    """

    expands: ClassVar[bool] = True

    num_samples: int = Field(15, ge=0)
    """How many rows are made; where three do not divide it, the last theme gives its easier questions only."""
    use_task_diversity: bool = True
    """Whether the questions about a theme are asked in one of seven situations, drawn by `seed`."""
    prompt_template: CondorQuestionPrompt | DIYPromptABC | None = None
    """What is asked for; a user's own may take `theme`, `domain`, `topic` and `task`."""
    seed: int = 0
    """Changes which themes and situations are drawn."""

    output_instruction_key = Out("instruction", "the question")
    output_output_key = Out("output", "its answer")
    output_difficulty_key = Out("difficulty", "`Easy`, `Medium` or `Hard`")

    @property
    def prompt(self) -> PromptABC:
        return self.prompt_template or _QUESTIONS

    def slot_names(self, binding: Binding) -> set[str]:
        return {"theme", "domain", "topic", "task"}

    def total(self) -> int:
        return -(-self.num_samples // len(LEVELS))

    async def make(self, ask: Ask, number: int) -> list[tuple[str, str, str]]:
        levels = LEVELS[: self.num_samples - number * len(LEVELS)]
        questions = await ask.read(
            self.questions_request(number), lambda reply: different(read_questions(reply))
        )
        asked = (build(_ANSWER, {"question": questions[level]}) for level in levels)
        answers = await together(*(ask.read(request, read_answer) for request in asked))
        return [(questions[lv], answer, lv) for lv, answer in zip(levels, answers, strict=True)]

    def questions_request(self, number: int) -> Request:
        """What is asked about the theme of that number."""
        tree = getattr(self.prompt, "tag", _QUESTIONS.tag)
        themes = [(t, d, theme) for t, domains in tree.items() for d, ths in domains.items() for theme in ths]
        again, place = divmod(number, len(themes))
        drawn = Random(self.seed).sample(range(len(themes)), len(themes))[place]
        topic, domain, theme = themes[drawn]
        slots = {"theme": theme, "domain": domain, "topic": topic}
        if self.use_task_diversity:
            tasks = list(getattr(self.prompt, "task_types", _QUESTIONS.task_types))
            slots["task"] = Random(f"{self.seed}/{drawn}").sample(tasks, len(tasks))[again % len(tasks)]
        return build(self.prompt, slots)


def read_questions(reply: str) -> dict[str, str]:
    """The question of each level: a JSON object, or sections that begin with `[Easy]`, `[Medium]` and `[Hard]`."""
    try:
        found = read_object(reply, LevelledQuestions)
    except ReplyError:
        return _sections(reply)
    return {level: getattr(found, level.lower()).strip() for level in LEVELS}


def different(questions: dict[str, str]) -> dict[str, str]:
    """The questions, if each level has one, and one of its own."""
    first: dict[str, str] = {}
    for level, question in questions.items():
        if plain(question) == f"the {level} question".casefold():
            raise ReplyError(f"no question of the level {level}, but {clip(question)}")
        before = first.setdefault(plain(question), level)
        if before != level:
            raise ReplyError(f"the questions of {before} and {level} are the same: {clip(question)}")
    return questions


def plain(text: str) -> str:
    """A text as it is compared: without case, spaces, and what ends a sentence."""
    return " ".join(text.casefold().split()).strip(" .?!")


def _sections(reply: str) -> dict[str, str]:
    text = bare(reply)
    heads = list(_LEVEL.finditer(text))
    found: dict[str, str] = {}
    for head, following in zip_longest(heads, heads[1:]):
        question = _MARK.sub("", text[head.end() : following and following.start()]).strip()
        if question:
            found.setdefault(head.group(1).capitalize(), question)
    if absent := [level for level in LEVELS if level not in found]:
        raise ReplyError(f"no {' and no '.join(absent)} question in the reply {clip(reply)}")
    return found


def read_answer(reply: str) -> str:
    """An answer without the thoughts before it."""
    said = without_thinking(reply)
    if not said:
        raise ReplyError(f"no answer in the reply {clip(reply)}")
    return said


@prompt_restrict(CondorRefinePrompt)
class CondorRefiner(Generate):
    """Improve each answer in place by a review of it: two model calls a row, one after the other.

    Of the second reply what stands between the tags asked for is taken, else all of it. A row fails where the better answer
    breaks off before the closing tag or at the model's length limit, is empty, or is a part of the question. An answer
    that is null, or has no question, stays as it is.
    """

    accepts_none: ClassVar[bool] = True

    prompt_template: CondorRefinePrompt | DIYPromptABC | None = None
    """How it is reviewed and improved; a user's own takes `mode` (`critique`, `refine`), `question`, `answer`, `critique`."""

    input_instruction_key = In("instruction", "the question")
    input_output_key = In("output", "its answer")
    output_key = Out(
        doc="where the better answer goes; the column of answers, unless named", like="input_output_key"
    )

    @property
    def prompt(self) -> PromptABC:
        return self.prompt_template or _REFINE

    def slot_names(self, binding: Binding) -> set[str]:
        return {"mode", "question", "answer", "critique"}

    async def answer(self, ask: Ask, instruction: Any, output: Any) -> Any:
        if instruction is None or output is None:
            return output
        pair = {"question": as_text(instruction), "answer": as_text(output)}
        critique = await ask.read(build(self.prompt, {"mode": "critique", **pair}), read_answer)

        def read(reply: str) -> str:
            better = self.parse(reply)
            if len(better.split()) > _FEW_WORDS and plain(better) in plain(pair["question"]):
                raise ReplyError(f"no answer, but words of the question: {clip(better)}")
            return better

        return await ask.read(build(self.prompt, {"mode": "refine", **pair, "critique": critique}), read)

    def parse(self, reply: str) -> str:
        text = without_thinking(reply)
        inside = _OPEN.split(text, maxsplit=1)[-1]
        body, *closed = _CLOSED.split(inside)
        if inside != text and not closed:
            raise ReplyError(f"the answer breaks off in the reply {clip(reply)}")
        if body.strip(" \n.<>").casefold() in _FORM:
            raise ReplyError(f"no answer in the reply {clip(reply)}")
        return body.strip()
