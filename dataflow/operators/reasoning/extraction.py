"""Final answers taken out of solutions."""

from __future__ import annotations

from dataflow.core.ports import In, Out
from dataflow.core.rows import Map
from dataflow.operators._lib.answers import extract


class ReasoningAnswerExtractionQwenMathEvalGenerator(Map):
    """Put the final answer of each worked solution into a column.

    It is what stands in the last box, after `####`, in `<answer>` tags, after words such as `the answer is` or `答案是`, in a
    concluding last sentence, or else the last number. Several boxes of one sentence are the parts of one answer, given
    with commas. It is kept as written: units, percent signs and the like matter to whoever compares it. Null where a
    solution has no answer; thoughts between `<think>` tags hold none.
    """

    dataset_name: str | None = None
    """Kept for pipelines that give it; answers of all data sets are read alike."""
    use_last_number: bool = True
    """Whether the last number stands in where nothing marks an answer."""

    input_key = In("pseudo_correct_solution_example", "the solution")
    output_key = Out("extraction", "its final answer; null where it has none")
    output_evidence_key = Out(doc="what showed it: `boxed`, `####`, `phrase` or `last number`", optional=True)

    def map(self, solution: str) -> tuple[str | None, str | None]:
        found = extract(solution, last_number=self.use_last_number)
        return (found.text, found.evidence) if found else (None, None)
