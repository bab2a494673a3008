"""Questions that take reasoning, with checked answers, in any field and in the user's own words."""

from __future__ import annotations

from typing import Any

from dataflow.operators.core_text import ChatFormatGenerator
from dataflow.operators.reasoning import (
    ReasoningAnswerAgreementFilter,
    ReasoningAnswerFormatterFilter,
    ReasoningAnswerGenerator,
    ReasoningAnswerGroundTruthFilter,
    ReasoningAnswerModelJudgeFilter,
    ReasoningAnswerNgramFilter,
    ReasoningAnswerPipelineRootFilter,
    ReasoningCategoryDatasetEvaluator,
    ReasoningPretrainFormatConvertGenerator,
    ReasoningPseudoAnswerGenerator,
    ReasoningQuestionCategorySampleEvaluator,
    ReasoningQuestionFilter,
    ReasoningQuestionGenerator,
)
from dataflow.pipeline import PipelineABC
from dataflow.prompts.model_evaluation.general import AnswerJudgePromptQuestion
from dataflow.prompts.reasoning.diy import (
    DiyAnswerGeneratorPrompt,
    DiyQuestionFilterPrompt,
    DiyQuestionSynthesisPrompt,
)
from dataflow.prompts.reasoning.general import (
    GeneralAnswerGeneratorPrompt,
    GeneralQuestionFilterPrompt,
    GeneralQuestionSynthesisPrompt,
)
from dataflow.serving import APILLMServing
from dataflow.storage import FileStorage
from dataflow.zoo._examples import MATH_QUESTIONS, MATH_SOLUTIONS, REASONING_QUESTIONS
from dataflow.zoo.reasoning_math import servings

FILTER = """\
You check questions for a quiz. Can a well-read person answer this one by thinking, without looking anything up?
<question>
{question}
</question>
Reply with JSON only: {"judgement_test": true} if so, else {"judgement_test": false, "error_type": "why not"}"""
SYNTHESIS = """\
Here is a question of a quiz.
<question>
{question}
</question>
Write another one that takes the same kind of thinking about another subject. Reply with the question only."""
ANSWER = """\
<question>
{question}
</question>
Answer this question of a quiz. Think aloud in a few short sentences, and end with the line
`Therefore, the final answer is \\boxed{…}.` with the bare answer in place of the dots."""


class GeneralReasoning_APIPipeline(PipelineABC):  # noqa: N801  # the name that published pipelines use
    """Make answered questions of any field: check, vary, sort, answer, judge by the reference or by votes.

    Args:
        source: a table with `instruction` and `golden_answer`, which may be null.
        llm_serving: the model that examines, makes, sorts and judges; `gpt-4o-mini` where left out.
        solver_serving: the model that answers, not at temperature 0; the same where left out.
        num_prompts: how many new questions are made of each, 1 to 5.
        samples: answers to each question, of which the most common counts.
        min_agreement: the share of them that must agree where no answer is known.
        seed: changes which variations are asked for.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        solver_serving: Any = None,
        *,
        source: str = REASONING_QUESTIONS,
        num_prompts: int = 1,
        samples: int = 3,
        min_agreement: float = 0.6,
        seed: int = 0,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="general_reasoning", cache_type="jsonl"
        )
        llm, solver = self.llm_serving, self.solver_serving = servings(llm_serving, solver_serving)
        sound = GeneralQuestionFilterPrompt()
        self.examine = ReasoningQuestionFilter(llm_serving=llm, prompt_template=sound)
        self.vary = ReasoningQuestionGenerator(
            num_prompts=num_prompts,
            llm_serving=llm,
            prompt_template=GeneralQuestionSynthesisPrompt(),
            seed=seed,
        )
        self.examine_all = ReasoningQuestionFilter(llm_serving=llm, prompt_template=sound)
        self.category = ReasoningQuestionCategorySampleEvaluator(llm, taxonomy="general")
        self.answer = ReasoningPseudoAnswerGenerator(
            llm_serving=solver, max_times=samples, prompt_template=GeneralAnswerGeneratorPrompt()
        )
        self.judge = ReasoningAnswerModelJudgeFilter(
            llm_serving=llm, prompt_template=AnswerJudgePromptQuestion(), keep_without_reference=True
        )
        self.agreed = ReasoningAnswerAgreementFilter(min_agreement)
        self.boxed = ReasoningAnswerFormatterFilter()
        self.varied = ReasoningAnswerNgramFilter(0.1, 1.0, 5)
        self.text = ReasoningPretrainFormatConvertGenerator()
        self.chat = ChatFormatGenerator()
        self.categories = ReasoningCategoryDatasetEvaluator()

    def forward(self) -> None:
        self.examine.run(self.storage.step(), input_key="instruction")
        self.vary.run(self.storage.step(), input_key="instruction")
        self.examine_all.run(self.storage.step(), input_key="instruction")
        self.category.run(self.storage.step(), input_key="instruction")
        self.answer.run(
            self.storage.step(),
            output_key_correct_solution_example="generated_cot",
            output_agreement_key="agreement",
        )
        self.judge.run(
            self.storage.step(),
            input_question_key="instruction",
            input_answer_key="generated_cot",
            input_reference_key="golden_answer",
        )
        self.agreed.run(self.storage.step(), input_gt_answer_key="golden_answer")
        self.boxed.run(self.storage.step())
        self.varied.run(self.storage.step())
        self.text.run(
            self.storage.step(), input_read_key_question="instruction", input_read_key_answer="generated_cot"
        )
        self.chat.run(self.storage.step(), input_question_key="instruction", input_answer_key="generated_cot")
        self.categories.run(self.storage.step())


class DiyReasoning_APIPipeline(PipelineABC):  # noqa: N801
    """Make questions and answers by three prompts of your own: one filters, one varies, one answers.

    Args:
        source: a table with `instruction`.
        llm_serving: the model; `gpt-4o-mini` where left out.
        filter_prompt: asks whether a question is fit, for JSON with `judgement_test`; the question stands at `{question}`.
        synthesis_prompt: asks for a new question out of one.
        answer_prompt: asks for the answer, in a box.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        *,
        source: str = REASONING_QUESTIONS,
        filter_prompt: str = FILTER,
        synthesis_prompt: str = SYNTHESIS,
        answer_prompt: str = ANSWER,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="diy_reasoning", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        fit = DiyQuestionFilterPrompt(filter_prompt)
        self.examine = ReasoningQuestionFilter(llm_serving=self.llm_serving, prompt_template=fit)
        self.vary = ReasoningQuestionGenerator(
            llm_serving=self.llm_serving, prompt_template=DiyQuestionSynthesisPrompt(synthesis_prompt)
        )
        self.examine_all = ReasoningQuestionFilter(llm_serving=self.llm_serving, prompt_template=fit)
        self.answer = ReasoningAnswerGenerator(self.llm_serving, DiyAnswerGeneratorPrompt(answer_prompt))
        self.boxed = ReasoningAnswerFormatterFilter()
        self.varied = ReasoningAnswerNgramFilter(0.1, 1.0, 5)
        self.text = ReasoningPretrainFormatConvertGenerator()
        self.chat = ChatFormatGenerator()

    def forward(self) -> None:
        self.examine.run(self.storage.step(), input_key="instruction")
        self.vary.run(self.storage.step(), input_key="instruction")
        self.examine_all.run(self.storage.step(), input_key="instruction")
        self.answer.run(self.storage.step())
        self.boxed.run(self.storage.step())
        self.varied.run(self.storage.step())
        self.text.run(
            self.storage.step(), input_read_key_question="instruction", input_read_key_answer="generated_cot"
        )
        self.chat.run(self.storage.step(), input_question_key="instruction", input_answer_key="generated_cot")


class Reasoning_APIPipeline_Pretrain(PipelineABC):  # noqa: N801
    """Make texts for pre-training of problems: check, vary, solve, compare where an answer is known.

    Args:
        source: a table with `instruction`, `output` and `golden_answer`; where the last is null it is taken from `output`.
        llm_serving: the model; `gpt-4o-mini` where left out.
        num_prompts: how many new problems are made of each, 1 to 5.
        seed: changes which variations are asked for.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        *,
        source: str = MATH_QUESTIONS,
        num_prompts: int = 3,
        seed: int = 0,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="reasoning_pretrain", cache_type="jsonl"
        )
        self.llm_serving = llm_serving or APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        self.examine = ReasoningQuestionFilter(llm_serving=self.llm_serving)
        self.vary = ReasoningQuestionGenerator(
            num_prompts=num_prompts, llm_serving=self.llm_serving, seed=seed
        )
        self.examine_all = ReasoningQuestionFilter(llm_serving=self.llm_serving)
        self.known = ReasoningAnswerPipelineRootFilter()
        self.solve = ReasoningAnswerGenerator(self.llm_serving)
        self.right = ReasoningAnswerGroundTruthFilter(keep_without_ground_truth=True)
        self.varied = ReasoningAnswerNgramFilter(0.1, 1.0, 5)
        self.text = ReasoningPretrainFormatConvertGenerator()

    def forward(self) -> None:
        self.examine.run(self.storage.step(), input_key="instruction")
        self.vary.run(self.storage.step(), input_key="instruction")
        self.examine_all.run(self.storage.step(), input_key="instruction")
        self.known.run(self.storage.step())
        self.solve.run(self.storage.step())
        self.right.run(self.storage.step())
        self.varied.run(self.storage.step())
        self.text.run(
            self.storage.step(),
            input_read_key_question="instruction",
            input_read_key_answer="generated_cot",
        )


class Reasoning_CPUPipeline(PipelineABC):  # noqa: N801
    """Keep given solutions that are right, boxed and not repetitive, without any model.

    Args:
        source: a table with `instruction`, `output` and `golden_answer`.
        cache_path: where tables and report go.
    """

    def __init__(self, *, source: str = MATH_SOLUTIONS, cache_path: str = "./cache") -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="reasoning_cpu", cache_type="jsonl"
        )
        self.boxed = ReasoningAnswerFormatterFilter()
        self.right = ReasoningAnswerGroundTruthFilter()
        self.varied = ReasoningAnswerNgramFilter(0.1, 1.0, 5)
        self.chat = ChatFormatGenerator()

    def forward(self) -> None:
        self.boxed.run(self.storage.step(), input_key="output")
        self.right.run(self.storage.step(), input_test_answer_key="output")
        self.varied.run(self.storage.step(), input_answer_key="output")
        self.chat.run(self.storage.step())
