"""Questions and answers drawn out of a text, and what they are worth."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from dataflow.core.asking import Ask, readable, together
from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text
from dataflow.core.generate import Generate
from dataflow.core.ports import Arg, In, Out
from dataflow.core.prompt import Prompt, prompt_restrict
from dataflow.core.replies import clip, parse_json, parse_score, without_thinking
from dataflow.prompts.core_text import (
    Text2QAAnswerAlignmentPrompt,
    Text2QAAnswerVerifiabilityPrompt,
    Text2QAAutoPromptGeneratorPrompt,
    Text2QADownstreamValuePrompt,
    Text2QAQuestionQualityPrompt,
    Text2QASeedQuestionGeneratorPrompt,
)

_LABEL = r"^[ \t*#>-]*{}[ \t]*\d*[ \t*]*[:：][ \t*]*"
_QUESTION = re.compile(_LABEL.format("q(?:uestion)?"), re.IGNORECASE | re.MULTILINE)
_ANSWER = re.compile(_LABEL.format("a(?:nswer)?"), re.IGNORECASE | re.MULTILINE)
_FEEDBACK = re.compile(r"\**\bfeedback\b[ \t*]*[:：][ \t*]*", re.IGNORECASE)
_ABOUT = Prompt("<text>\n{text}\n</text>\n\n{instruction}\n\n{form}")
_ONE, _MOST = "Write one instruction.", "Write {most} instructions, or as many as the text has facts for."
_ITEM = re.compile(r"^[ \t]*(?:[-*•]|\d+[.)])[ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_PAIR = Prompt("<question>\n{question}\n</question>\n<answer>\n{answer}\n</answer>")
_QUESTION_ALONE = Prompt("<question>\n{question}\n</question>")


@prompt_restrict(Text2QAAutoPromptGeneratorPrompt, Text2QASeedQuestionGeneratorPrompt)
class Text2QAGenerator(Generate):
    """Draw question-answer pairs out of each text: one row a pair.

    A first call writes up to `input_question_num` instructions for the text, a call for each of them then
    writes a question and its answer, both of any number of lines. A pair that cannot be read is left out; the
    row fails where none can, and is dropped where the model finds nothing to ask.
    """

    expands: ClassVar[bool] = True
    input_key = In("text", "what is asked about")
    input_question_num = Arg(1, "most pairs drawn out of one text")
    output_prompt_key = Out("generated_prompt", "the instruction by which the pair was written")
    output_question_key = Out("generated_question", "the question")
    output_answer_key = Out("generated_answer", "its answer")

    async def answer(self, ask: Ask, text: str) -> list[tuple[str, str, str]]:
        most = ask.args["input_question_num"]
        planned = Text2QAAutoPromptGeneratorPrompt().build_prompt(seed_data=text)
        number = _ONE if most == 1 else _MOST.format(most=most)
        instructions = (await ask.read(f"{planned}\n{number}", parse_instructions))[:most]
        form = Text2QASeedQuestionGeneratorPrompt().build_prompt()
        asked = (_ABOUT.build_prompt(instruction=i, form=form, text=text) for i in instructions)
        pairs = await readable(ask.read(prompt, parse_pair) for prompt in asked)
        return [(i, *pair) for i, pair in zip(instructions, pairs, strict=True) if pair]


def parse_instructions(reply: str) -> list[str]:
    """The instructions in a reply: a JSON list of texts, an object that holds one, or a list with bullets or numbers."""
    items: list[str] = _ITEM.findall(without_thinking(reply))
    if items and not re.search(r"[\[{]", reply):
        return items
    found = parse_json(reply)
    if isinstance(found, dict):
        found = next((v for v in found.values() if isinstance(v, list)), [])
    texts = (
        v if isinstance(v, str) else next((x for x in v.values() if isinstance(x, str)), "")
        for v in found
        if isinstance(v, (str, dict))
    )
    return [t.strip() for t in texts if t.strip()]


def parse_pair(reply: str) -> tuple[str, str]:
    """The first question and answer in a reply, each up to the next label."""
    text = without_thinking(reply)
    question = _QUESTION.search(text)
    answer = _ANSWER.search(text, question.end()) if question else None
    if not question or not answer:
        raise ReplyError(f"no `Q:` and `A:` in the reply {clip(reply)}")
    further = _QUESTION.search(text, answer.end())
    pair = (
        text[question.end() : answer.start()].strip(),
        text[answer.end() : further.start() if further else None].strip(),
    )
    if not all(pair):
        raise ReplyError(f"an empty question or answer in the reply {clip(reply)}")
    return pair


@prompt_restrict(
    Text2QAQuestionQualityPrompt,
    Text2QAAnswerAlignmentPrompt,
    Text2QAAnswerVerifiabilityPrompt,
    Text2QADownstreamValuePrompt,
)
class Text2QASampleEvaluator(Generate):
    """Grade question-answer pairs from 1 to 5 in four respects: four model calls a row, made at once.

    The respects are the quality of the question, judged without the answer; how well the answer answers it;
    how well that can be checked; and what the pair is worth for training. A reply without a grade fails the row.
    """

    input_question_key = In("generated_question", "the question")
    input_answer_key = In("generated_answer", "its answer")
    output_question_quality_key = Out("question_quality_grades", "1 to 5", type="float")
    output_question_quality_feedback_key = Out("question_quality_feedbacks", "the reason")
    output_answer_alignment_key = Out("answer_alignment_grades", "1 to 5", type="float")
    output_answer_alignment_feedback_key = Out("answer_alignment_feedbacks", "the reason")
    output_answer_verifiability_key = Out("answer_verifiability_grades", "1 to 5", type="float")
    output_answer_verifiability_feedback_key = Out("answer_verifiability_feedbacks", "the reason")
    output_downstream_value_key = Out("downstream_value_grades", "1 to 5", type="float")
    output_downstream_value_feedback_key = Out("downstream_value_feedbacks", "the reason")

    async def answer(self, ask: Ask, question: Any, answer: Any) -> tuple[Any, ...]:
        pair = {"question": as_text(question), "answer": as_text(answer)}
        alone, whole = _QUESTION_ALONE.build_prompt(**pair), _PAIR.build_prompt(**pair)
        grades = await together(
            ask.read(alone, self.parse, Text2QAQuestionQualityPrompt().build_prompt()),
            ask.read(whole, self.parse, Text2QAAnswerAlignmentPrompt().build_prompt()),
            ask.read(whole, self.parse, Text2QAAnswerVerifiabilityPrompt().build_prompt()),
            ask.read(whole, self.parse, Text2QADownstreamValuePrompt().build_prompt()),
        )
        return tuple(value for grade in grades for value in grade)

    def parse(self, reply: str) -> tuple[float, str]:
        head, *feedback = _FEEDBACK.split(without_thinking(reply), maxsplit=1)
        grade = parse_score(head if head.strip() or not feedback else reply)
        return float(grade), feedback[0].strip() if feedback else ""
