"""Problems of mathematics with checked solutions."""

from __future__ import annotations

from typing import Any, Literal

from dataflow.operators.core_text import ChatFormatGenerator, ColumnsToRowsGenerator
from dataflow.operators.general_text import DecontaminationFilter
from dataflow.operators.reasoning import (
    ReasoningAnswerAgreementFilter,
    ReasoningAnswerFormatterFilter,
    ReasoningAnswerGroundTruthFilter,
    ReasoningAnswerNgramFilter,
    ReasoningAnswerTokenLengthFilter,
    ReasoningCategoryDatasetEvaluator,
    ReasoningDifficultyDatasetEvaluator,
    ReasoningPretrainFormatConvertGenerator,
    ReasoningPseudoAnswerGenerator,
    ReasoningQuestionCategorySampleEvaluator,
    ReasoningQuestionDifficultySampleEvaluator,
    ReasoningQuestionFilter,
    ReasoningQuestionFusionGenerator,
    ReasoningQuestionGenerator,
    ReasoningQuestionPairGenerator,
    ReasoningQuestionSolvableFilter,
)
from dataflow.pipeline import PipelineABC
from dataflow.prompts.reasoning.math import (
    MathQuestionConditionFusionGeneratorPrompt,
    MathQuestionParallelFusionGeneratorPrompt,
    MathQuestionSequentialFusionGeneratorPrompt,
)
from dataflow.serving import APILLMServing, LocalEmbeddingServing
from dataflow.storage import FileStorage
from dataflow.zoo._examples import BENCH, MATH_QUESTIONS

SAMPLED = 0.7
"""The temperature at which several solutions of one problem are asked for."""


def servings(llm_serving: Any, solver_serving: Any) -> tuple[Any, Any]:
    """The model that judges and makes problems, and the one that solves them; the first alone does both."""
    if llm_serving is None:
        llm_serving = APILLMServing(model_name="gpt-4o-mini", max_workers=32)
        solver_serving = solver_serving or APILLMServing(
            model_name="gpt-4o-mini", temperature=SAMPLED, max_workers=32
        )
    return llm_serving, solver_serving if solver_serving is not None else llm_serving


class ReasoningMath_APIPipeline(PipelineABC):  # noqa: N801  # the name that published pipelines use
    """Make solved problems of mathematics: check, vary, rate, solve, compare with the truth or by votes.

    Args:
        source: a table with `instruction` and `golden_answer`, which may be null.
        llm_serving: the model that examines, makes and rates problems; `gpt-4o-mini` where left out.
        solver_serving: the model that solves them, not at temperature 0; the same where left out.
        num_prompts: how many new problems are made of each, 1 to 5.
        samples: solutions of each problem, of which the most common answer counts.
        min_agreement: the share of them that must agree where no answer is known.
        benchmark: a file of problems that must not get into the data; nothing is compared where null.
        tokenizer: the tokenizer by which solutions are measured; they are not where null.
        max_tokens: the longest solution kept, in its tokens.
        seed: changes which variations are asked for.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        solver_serving: Any = None,
        *,
        source: str = MATH_QUESTIONS,
        num_prompts: int = 1,
        samples: int = 3,
        min_agreement: float = 0.6,
        benchmark: str | None = BENCH,
        tokenizer: str | None = None,
        max_tokens: int = 8192,
        seed: int = 0,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(source, cache_path=cache_path, file_name_prefix="math", cache_type="jsonl")
        self.llm_serving, self.solver_serving = servings(llm_serving, solver_serving)
        self.examine = ReasoningQuestionFilter(llm_serving=self.llm_serving)
        self.vary = ReasoningQuestionGenerator(
            num_prompts=num_prompts, llm_serving=self.llm_serving, seed=seed
        )
        self.examine_all = ReasoningQuestionFilter(llm_serving=self.llm_serving)
        self.unseen = DecontaminationFilter(benchmark, ngram=8) if benchmark else None
        self.difficulty = ReasoningQuestionDifficultySampleEvaluator(self.llm_serving)
        self.category = ReasoningQuestionCategorySampleEvaluator(self.llm_serving)
        self.solve = ReasoningPseudoAnswerGenerator(llm_serving=self.solver_serving, max_times=samples)
        self.right = ReasoningAnswerGroundTruthFilter(keep_without_ground_truth=True)
        self.agreed = ReasoningAnswerAgreementFilter(min_agreement)
        self.boxed = ReasoningAnswerFormatterFilter()
        self.short = ReasoningAnswerTokenLengthFilter(max_tokens, tokenizer) if tokenizer else None
        self.varied = ReasoningAnswerNgramFilter(0.1, 1.0, 5)
        self.text = ReasoningPretrainFormatConvertGenerator()
        self.chat = ChatFormatGenerator()
        self.difficulties = ReasoningDifficultyDatasetEvaluator()
        self.categories = ReasoningCategoryDatasetEvaluator()

    def forward(self) -> None:
        self.examine.run(self.storage.step(), input_key="instruction")
        self.vary.run(self.storage.step(), input_key="instruction")
        self.examine_all.run(self.storage.step(), input_key="instruction")
        if self.unseen:
            self.unseen.run(self.storage.step(), input_key="instruction")
        self.difficulty.run(self.storage.step(), input_key="instruction", output_key="question_difficulty")
        self.category.run(self.storage.step(), input_key="instruction")
        self.solve.run(
            self.storage.step(),
            output_key_correct_solution_example="generated_cot",
            output_agreement_key="agreement",
        )
        self.right.run(self.storage.step())
        self.agreed.run(self.storage.step(), input_gt_answer_key="golden_answer")
        self.boxed.run(self.storage.step())
        if self.short:
            self.short.run(self.storage.step())
        self.varied.run(self.storage.step())
        self.text.run(
            self.storage.step(), input_read_key_question="instruction", input_read_key_answer="generated_cot"
        )
        self.chat.run(self.storage.step(), input_question_key="instruction", input_answer_key="generated_cot")
        self.difficulties.run(self.storage.step(), input_diffulty_key="question_difficulty")
        self.categories.run(self.storage.step())


class ReasoningMath_APIPipeline_Mathfusion(PipelineABC):  # noqa: N801
    """Fuse problems of mathematics two by two, keep those that can be solved, and solve them by votes.

    Args:
        source: a table with `instruction`.
        llm_serving: the model that fuses and examines; `gpt-4o-mini` where left out.
        solver_serving: the model that solves, not at temperature 0; the same where left out.
        embedding_serving: the model that finds the most similar problem; the built-in one where left out.
        pair_by: how partners are found: `embedding`, or `lot`, which needs no model.
        samples: solutions of each problem, of which the most common answer counts.
        min_agreement: the share of them that must agree.
        benchmark: a file of problems that must not get into the data; nothing is compared where null.
        seed: changes the lot, and the settings of new problems.
        cache_path: where tables, journal and report go.
    """

    def __init__(
        self,
        llm_serving: Any = None,
        solver_serving: Any = None,
        embedding_serving: Any = None,
        *,
        source: str = MATH_QUESTIONS,
        pair_by: Literal["lot", "embedding"] = "embedding",
        samples: int = 3,
        min_agreement: float = 0.6,
        benchmark: str | None = BENCH,
        seed: int = 0,
        cache_path: str = "./cache",
    ) -> None:
        super().__init__()
        self.storage = FileStorage(
            source, cache_path=cache_path, file_name_prefix="math_fusion", cache_type="jsonl"
        )
        llm, solver = self.llm_serving, self.solver_serving = servings(llm_serving, solver_serving)
        if pair_by == "embedding" and embedding_serving is None:
            embedding_serving = LocalEmbeddingServing()
        self.pair = ReasoningQuestionPairGenerator(by=pair_by, embedding_serving=embedding_serving, seed=seed)
        self.sequential = ReasoningQuestionFusionGenerator(
            num_prompts=1,
            llm_serving=llm,
            prompt_template=MathQuestionSequentialFusionGeneratorPrompt(),
            seed=seed,
        )
        self.parallel = ReasoningQuestionFusionGenerator(
            num_prompts=1,
            llm_serving=llm,
            prompt_template=MathQuestionParallelFusionGeneratorPrompt(),
            seed=seed,
        )
        self.condition = ReasoningQuestionFusionGenerator(
            num_prompts=2,
            llm_serving=llm,
            prompt_template=MathQuestionConditionFusionGeneratorPrompt(),
            seed=seed,
        )
        self.below = ColumnsToRowsGenerator(("sequential", "parallel", "condition", "condition"))
        self.solvable = ReasoningQuestionSolvableFilter(llm)
        self.unseen = DecontaminationFilter(benchmark, ngram=8) if benchmark else None
        self.solve = ReasoningPseudoAnswerGenerator(llm_serving=solver, max_times=samples)
        self.agreed = ReasoningAnswerAgreementFilter(min_agreement)
        self.boxed = ReasoningAnswerFormatterFilter()
        self.varied = ReasoningAnswerNgramFilter(0.1, 1.0, 5)
        self.text = ReasoningPretrainFormatConvertGenerator()
        self.chat = ChatFormatGenerator()

    def forward(self) -> None:
        self.pair.run(self.storage.step(), output_key="most_similar_problem")
        made = []
        for kind in ("sequential", "parallel", "condition"):
            fuse: ReasoningQuestionFusionGenerator = getattr(self, kind)
            fuse.run(
                self.storage.step(),
                input_problem_1="instruction",
                input_problem_2="most_similar_problem",
                output_key=kind,
            )
            made += [f"{kind}_question_{i}" for i in range(fuse.num_prompts)]
        self.below.run(
            self.storage.step(), input_keys=made, output_key="refined_question", output_name_key="fusion"
        )
        self.solvable.run(self.storage.step(), input_key="refined_question")
        if self.unseen:
            self.unseen.run(self.storage.step(), input_key="refined_question")
        self.solve.run(
            self.storage.step(),
            input_key="refined_question",
            output_key_correct_solution_example="generated_cot",
            output_agreement_key="agreement",
        )
        self.agreed.run(self.storage.step())
        self.boxed.run(self.storage.step())
        self.varied.run(self.storage.step(), input_question_key="refined_question")
        self.text.run(
            self.storage.step(),
            input_read_key_question="refined_question",
            input_read_key_answer="generated_cot",
        )
        self.chat.run(
            self.storage.step(), input_question_key="refined_question", input_answer_key="generated_cot"
        )
