"""How good responses to instructions are, as a model rates them (AlpaGasus, arXiv 2307.08701)."""

from __future__ import annotations

from typing import Any, ClassVar

from dataflow.core.frames import as_text
from dataflow.core.generate import Judge
from dataflow.core.ports import In, Out
from dataflow.core.prompt import prompt_restrict
from dataflow.core.protocols import Request
from dataflow.core.replies import parse_score
from dataflow.operators._lib.replies import bare
from dataflow.prompts.text_sft import AlpagasusPrompt


@prompt_restrict(AlpagasusPrompt)
class AlpagasusSampleEvaluator(Judge):
    """Rate responses to instructions from 0 to 5 by a model: one call a row.

    After AlpaGasus (arXiv 2307.08701). The rating is the number on the first line of the reply, else the one the reply labels as such; fractions are
    allowed. A reply without a number from 0 to 5 fails its row.
    """

    scale: ClassVar[tuple[float, float]] = (0, 5)

    dimension: str = "quality"
    """The respect in which the response is rated, such as `helpfulness` or `accuracy`."""

    input_instruction_key = In("instruction", "what was asked")
    input_input_key = In(doc="further material that the instruction is about", optional=True)
    input_output_key = In("output", "the response")
    output_key = Out("AlpagasusScore", "the rating, 0 to 5", type="float")

    def request(self, instruction: Any, material: Any, output: Any) -> Request:
        prompt = AlpagasusPrompt(self.dimension)
        asked = prompt.build_prompt(
            as_text(instruction), "" if material is None else as_text(material), as_text(output)
        )
        return Request.of(asked, prompt.build_system_prompt())

    def parse(self, reply: str) -> float:
        text = bare(reply)
        head = text.partition("\n")[0]
        return float(parse_score(head if any(map(str.isdigit, head)) else text, *self.scale, whole=False))


class AlpagasusFilter(AlpagasusSampleEvaluator):
    """Keep responses that a model rates within a range: one call a row.

    After AlpaGasus (arXiv 2307.08701). The bounds are inclusive. A reply without a number from 0 to 5 fails its row instead of dropping it.
    """

    filters: ClassVar[bool] = True
    leading: ClassVar[tuple[str, ...]] = ("min_score", "max_score", "llm_serving", "dimension")

    min_score: float = 3
    """Lowest rating kept."""
    max_score: float = 5
    """Highest rating kept."""

    def keeps(self, score: float) -> bool:
        return self.min_score <= score <= self.max_score
