"""How complex instructions are, as the size of a tree that a model draws of them (arXiv 2308.05696)."""

from __future__ import annotations

from typing import Any, ClassVar

from dataflow.core.errors import ReplyError
from dataflow.core.frames import as_text
from dataflow.core.generate import Judge
from dataflow.core.ports import In, Out
from dataflow.core.prompt import prompt_restrict
from dataflow.core.protocols import Request
from dataflow.core.replies import clip, parse_score, without_thinking
from dataflow.prompts.text_sft import TreeinstructPrompt

_MOST = 10_000
_PROMPT = TreeinstructPrompt()


@prompt_restrict(TreeinstructPrompt)
class TreeinstructSampleEvaluator(Judge):
    """Score how complex instructions are by the nodes of their tree: one model call a row.

    After Tree-Instruct (arXiv 2308.05696). The model draws what the instruction asks for as a tree, and gives the number of its nodes on the last line. A reply
    whose last line has no whole number fails its row.
    """

    input_instruction_key = In("instruction", "the instruction")
    output_key = Out("TreeinstructScore", "the number of nodes", type="int")

    def request(self, instruction: Any) -> Request:
        return Request.of(_PROMPT.build_prompt(as_text(instruction)), _PROMPT.build_system_prompt())

    def parse(self, reply: str) -> int:
        lines = [line.strip() for line in without_thinking(reply).splitlines()]
        said = [line for line in lines if line.strip("`")]
        if not said:
            raise ReplyError(f"no number of nodes in the reply {clip(reply)}")
        return int(parse_score(said[-1], 0, _MOST))


class TreeinstructFilter(TreeinstructSampleEvaluator):
    """Keep instructions whose tree has a number of nodes within a range: one model call a row.

    After Tree-Instruct (arXiv 2308.05696). The bounds are inclusive. A reply whose last line has no whole number fails its row instead of dropping it.
    """

    filters: ClassVar[bool] = True
    leading: ClassVar[tuple[str, ...]] = ("min_score", "max_score", "llm_serving")

    min_score: float = 7
    """Fewest nodes kept."""
    max_score: float = 100
    """Most nodes kept."""

    input_key = In("instruction", "the instruction")

    def keeps(self, score: int) -> bool:
        return self.min_score <= score <= self.max_score
