"""Texts told again as questions and answers."""

from __future__ import annotations

import re
from typing import Any

from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text
from dataflow.core.generate import Generate
from dataflow.core.ports import In, Out
from dataflow.core.prompt import prompt_restrict
from dataflow.core.protocols import Request
from dataflow.core.replies import clip
from dataflow.operators._lib.replies import bare
from dataflow.prompts.text_pt import Phi4QAGeneratorPrompt

_PROMPT = Phi4QAGeneratorPrompt()
_LABEL = r"^[ \t*#>-]*(?:\d+[.)]\s*)?[ \t*]*(?:{})[ \t]*\d*[ \t*]*[:：][ \t*]*"
_QUESTION = re.compile(_LABEL.format("question|问题?"), re.IGNORECASE | re.MULTILINE)
_ANSWER = re.compile(_LABEL.format("answer|答案?"), re.IGNORECASE | re.MULTILINE)


@prompt_restrict(Phi4QAGeneratorPrompt)
class Phi4QAGenerator(Generate):
    """Tell each text again as questions and answers: one model call a row.

    After Phi-4 (arXiv 2412.08905). The column holds the pairs as text, labelled `Question:` and `Answer:`, without what the model says before the first.
    A reply without a question and its answer fails its row. A blank text gives null, without a call.
    """

    input_key = In("raw_content", "the text")
    output_key = Out("generated_content", "its questions and answers, as text")

    def skips(self, row: tuple[Any, ...]) -> bool:
        return row[0] is None or not as_text(row[0]).strip()

    def request(self, text: Any) -> Request:
        return Request.of(_PROMPT.build_prompt(as_text(text)), _PROMPT.system)

    def parse(self, reply: str) -> str:
        said = bare(reply)
        first = _QUESTION.search(said)
        if first is None or not _ANSWER.search(said, first.end()):
            raise ReplyError(f"no question with an answer in the reply {clip(reply)}")
        return said[first.start() :].strip()
