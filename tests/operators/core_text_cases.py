"""What each operator of core_text must do, as cases."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import polars as pl

from dataflow.core.protocols import Reply, Request, Scope
from dataflow.operators.core_text.bench_answer import BenchAnswerGenerator
from dataflow.operators.core_text.bench_dataset import BenchDatasetEvaluator, BenchDatasetEvaluatorQuestion
from dataflow.operators.core_text.chat_format import ChatFormatGenerator
from dataflow.operators.core_text.chunked import ChunkedPromptedGenerator
from dataflow.operators.core_text.columns_to_rows import ColumnsToRowsGenerator
from dataflow.operators.core_text.embedding import EmbeddingGenerator
from dataflow.operators.core_text.format_str import FormatStrPromptedGenerator
from dataflow.operators.core_text.free_form import GeneralFilter, PandasOperator
from dataflow.operators.core_text.k_center import KCenterGreedyFilter
from dataflow.operators.core_text.multi_hop import Text2MultiHopQAGenerator
from dataflow.operators.core_text.near_duplicates import EmbeddingDeduplicateFilter
from dataflow.operators.core_text.pairwise import PairwisePreferenceGenerator
from dataflow.operators.core_text.passages import (
    AnswerOverlapFilter,
    GroundedAnswerSampleEvaluator,
    PassageQAGenerator,
    PassageSplitter,
    SelfContainedQuestionFilter,
)
from dataflow.operators.core_text.prompted import (
    PromptedEvaluator,
    PromptedFilter,
    PromptedGenerator,
    PromptedRefiner,
)
from dataflow.operators.core_text.random_domain import RandomDomainKnowledgeRowGenerator
from dataflow.operators.core_text.retrieval import RetrievalGenerator
from dataflow.operators.core_text.score import ScoreFilter
from dataflow.operators.core_text.text2qa import Text2QAGenerator, Text2QASampleEvaluator
from dataflow.operators.core_text.unified_bench import UnifiedBenchDatasetEvaluator
from dataflow.prompts.core_text import FormatStrPrompt
from dataflow.testing import FAILED, Case, ScriptedServing, expands, keeps, maps, replies

STATISTICS = "statistics.json"
FILES = {"plain.md": "one two\nthree", "a.dotted.dir/v1.2.md": "x"}
"""The files that must lie in the working directory when the cases are run."""
TRUE, FALSE = '{"judgement_result": true}', '{"judgement_result": false}'


def echo(prompt: str) -> str:
    return f"re: {prompt}"


def question_of(prompt: str) -> str:
    """The reply is the question that was asked about."""
    return prompt.partition("<question>\n")[2].partition("\n</question>")[0]


def by_answer(table: dict[str, str | None]) -> ScriptedServing:
    """A judge whose reply hangs on the answer alone."""
    return ScriptedServing(
        by=lambda prompt: table[prompt.partition("<answer>\n")[2].partition("\n</answer>")[0]]
    )


def graded(grade: int, why: str = "because") -> str:
    return f"**Grading**: {grade}\n**Feedback**: {why}"


PROMPTED = [
    maps(
        PromptedGenerator(ScriptedServing(by=echo), user_prompt="Sum up: "),
        {"a {brace}": "re: Sum up: a {brace}", None: None, "": "re: Sum up: "},
    ),
    replies(PromptedGenerator, {"an answer": "an answer", "": "", None: FAILED}),
    maps(PromptedRefiner(ScriptedServing(by=str.upper)), {"make me loud": "MAKE ME LOUD", None: None}),
    replies(PromptedRefiner, {"better": "better", None: FAILED}),
    replies(
        PromptedEvaluator,
        {
            "4": 4, "4/5": 4, "Score: 3 out of 5": 3, "The text has 2 faults, so 3.": 3, "```\n5\n```": 5,
            "<think>2?</think>4": 4, "10": FAILED, "3.5": FAILED, "excellent": FAILED, "": FAILED, None: FAILED,
        },
    ),
    Case(
        PromptedFilter(ScriptedServing("5", "2", "5", "none", None), min_score=4),
        [{"raw_content": t} for t in ("good", "bad", " ", "odd", "lost")],
        [{"raw_content": "good", "eval": 5}],
        failed=2,
        dropped=2,
    ),
    Case(PromptedFilter(ScriptedServing("5")), [{"raw_content": None}], [], dropped=1),
]  # fmt: skip

FORMAT_STR = [
    Case(
        FormatStrPromptedGenerator(
            ScriptedServing(by=echo), prompt_template=FormatStrPrompt("{role}, explain {term}: {{ x }}")
        ),
        [
            {"who": "Teacher", "what": "{role}"},
            {"who": "Teacher", "what": None},
            {"who": "Cook", "what": "a pan"},
        ],
        [
            {"generated_content": "re: Teacher, explain {role}: {{ x }}"},
            {"generated_content": None},
            {"generated_content": "re: Cook, explain a pan: {{ x }}"},
        ],
        {"role": "who", "term": "what"},
    ),
    Case(
        FormatStrPromptedGenerator(
            ScriptedServing(by=echo), prompt_template=FormatStrPrompt("[{a}|{b}]", on_missing="empty")
        ),
        [{"x": 1}, {"x": None}],
        [{"out": "re: [1|]"}, {"out": "re: [|]"}],
        {"a": "x", "output_key": "out"},
    ),
    Case(
        FormatStrPromptedGenerator(ScriptedServing("one", None)),
        [{"t": "a"}, {"t": "b"}],
        [{"generated_content": "one"}],
        {"input_text": "t"},
        failed=1,
    ),
]


CHUNKED = [
    maps(
        ChunkedPromptedGenerator(ScriptedServing(by=str.upper), max_chunk_len=2, separator="|"),
        {
            "plain.md": "plain_llm_output.txt",
            "a.dotted.dir/v1.2.md": "a.dotted.dir/v1.2_llm_output.txt",
            None: None,
            "missing.md": FAILED,
        },
        input_path_key="path",
        output_path_key="answers",
    ),
]

SAMPLE = {"instruction": "Explain a loan.", "input": "", "output": "A loan is …", "domain": "money"}
SAMPLE_TEXT = json.dumps(SAMPLE, separators=(",", ":"), ensure_ascii=False)


def samples(table: dict[str | None, Any]) -> Case:
    op = RandomDomainKnowledgeRowGenerator(ScriptedServing(*table), len(table), "money, law")
    good = [{"generated_content": v} for v in table.values() if v is not FAILED]
    return Case(op, [], good, failed=len(table) - len(good))


RANDOM_DOMAIN = [
    samples(
        {
            SAMPLE_TEXT: SAMPLE_TEXT,
            f"Here it is:\n```json\n{SAMPLE_TEXT}\n```": SAMPLE_TEXT,
            '{"instruction": "Add.", "output": "3"}': '{"instruction":"Add.","input":"","output":"3","domain":""}',
            '{"instruction": "Add."}': FAILED,
            '{"instruction": " ", "output": "x"}': FAILED,
            '["a list"]': FAILED,
            "no JSON": FAILED,
            None: FAILED,
        }
    )
]

PLANS = '["Ask about the king.", "Ask about the river."]'


def qa_server(prompt: str) -> str | None:
    """Plans for a text, then a pair for each plan; some texts and plans are answered badly."""
    if "Write instructions" in prompt:
        bad = {"silent": None, "prose": "I would ask about the king.", "nothing": "[]"}
        fenced = f"```json\n{PLANS}\n```"
        return next((reply for word, reply in bad.items() if f"\n{word}\n" in prompt), fenced)
    if "half" in prompt and "river" in prompt:
        return "I cannot."
    if "mute" in prompt:
        return "Q: only a question"
    if "blank" in prompt:
        return "Q:\nA: only an answer"
    what = "king" if "Ask about the king." in prompt else "river"
    return f"**Q:** Which {what}?\n**A:** The {what}\nof the text."


def pair(what: str) -> tuple[str, str, str]:
    return (f"Ask about the {what}.", f"Which {what}?", f"The {what}\nof the text.")


TEXT2QA = [
    expands(
        Text2QAGenerator(ScriptedServing(by=qa_server)),
        ["a text", "half", "nothing", None],
        [pair("king"), pair("river"), pair("king")],
        input_question_num=3,
    ),
    Case(
        Text2QAGenerator(ScriptedServing(by=qa_server)),
        [{"text": t} for t in ("silent", "first", "prose", "mute", "blank", "last")],
        [
            {"text": t, "generated_prompt": p, "generated_question": q, "generated_answer": a}
            for t in ("first", "last")
            for p, q, a in [pair("king")]
        ],
        failed=4,
    ),
    maps(
        Text2QASampleEvaluator(ScriptedServing(by=question_of)),
        {
            (graded(4), "a"): (4.0, "because") * 4,
            ("Grading: 5/5\nFeedback: two\nlines", "a"): (5.0, "two\nlines") * 4,
            ("Feedback: none needed\nGrading: 2", "a"): (2.0, "none needed\nGrading: 2") * 4,
            ("3", "a"): (3.0, "") * 4,
            ("**Grading**: 7", "a"): FAILED,
            ("fine", "a"): FAILED,
            (None, "a"): (None,) * 8,
            ("3", None): (None,) * 8,
        },
    ),
    Case(
        Text2QASampleEvaluator(ScriptedServing(None)),
        [{"generated_question": "q", "generated_answer": "a"}],
        [],
        failed=1,
    ),
]

PASSAGE = (
    "The river Elm rises in the northern hills. It flows past the old mill of Dr. Smith. The mill was built in 1870, "
    "at a cost of 3.5 thousand crowns. Its wheel turned until the great flood."
)


def hop(question: str, **changes: Any) -> dict[str, Any]:
    made = {
        "question": question,
        "reasoning_steps": [{"step": "one"}, {"step": "two"}, {"step": "three"}],
        "answer": "the mill",
        "supporting_facts": ["a", "b", "c"],
        "type": "history",
    }
    return made | changes


MULTI_HOP = [
    Case(
        Text2MultiHopQAGenerator(ScriptedServing(by={"Elm rises": json.dumps(hop("Which?")), "flows": "[]"})),
        [{"cleaned_chunk": t} for t in (PASSAGE, "short", None, "x" * 120, "#$%&/." * 40, "ab. " * 60_000)],
        [
            {
                "QA_pairs": [hop("Which?")],
                "QA_metadata": {
                    "source": "default_source",
                    "timestamp": "",
                    "complexity": 0.4 + 0.3 + 0.15 / 20 + 0.15 * 2 / 50,
                },
            }
        ],
        dropped=5,
    ),
    Case(
        Text2MultiHopQAGenerator(ScriptedServing("none at all")),
        [{"cleaned_chunk": PASSAGE}],
        [],
        failed=1,
    ),
    Case(Text2MultiHopQAGenerator(ScriptedServing(None)), [{"cleaned_chunk": PASSAGE}], [], failed=1),
    Case(Text2MultiHopQAGenerator(ScriptedServing("[]")), [{"cleaned_chunk": PASSAGE}], [], dropped=1),
    Case(
        Text2MultiHopQAGenerator(ScriptedServing(json.dumps(hop("Which?", type=3)))),
        [{"cleaned_chunk": PASSAGE}],
        [],
        failed=1,
    ),
]


class Vectors:
    """An embedding serving of two dimensions, whose vectors stand in the texts."""

    def generate_embedding_from_input(self, texts: list[str]) -> list[list[float] | None]:
        return [None if t == "lost" else [float(x) for x in t.split(",")] for t in texts]


VECTORS = [
    maps(EmbeddingGenerator(Vectors()), {"1,2": [1.0, 2.0], None: None, " ": None, "lost": FAILED}),
    keeps(
        KCenterGreedyFilter(3, Vectors()),
        ["0,0", "0,1", None, "9,9", " ", "lost", "9,8", "0,9"],
        ["0,0", "9,9", "0,9"],
    ),
    keeps(KCenterGreedyFilter(5, Vectors()), ["1,1", "1,1", None], ["1,1", "1,1"]),
    Case(
        KCenterGreedyFilter(2),
        [
            {"content": c, "v": v}
            for c, v in [("a", [0.0, 0.0]), ("b", [0.0, 1.0]), (None, [9.0, 9.0]), ("d", None)]
        ],
        [{"content": "a"}, {"content": None}],
        {"input_embedding_key": "v"},
        dropped=2,
    ),
]

RETRIEVAL = [replies(RetrievalGenerator, {"a document": "a document", None: FAILED})]


def bench_answers(eval_type: str, row: dict[str, Any], reply: str | None, **settings: Any) -> Case:
    op = BenchAnswerGenerator(eval_type, ScriptedServing(reply or "an answer"), **settings)
    keys = {f"input_{name}_key": name for name in row if name != "generated_ans"}
    return Case(op, [row], [{"generated_ans": reply}], keys)


CHOICES = {"question": "Which?", "choices": ["red", "blue"], "context": None}
BENCH_ANSWERS = [
    bench_answers("key2_qa", {"question": "2+2?"}, "The answer is 4"),
    bench_answers("key2_qa", {"question": None}, None),
    bench_answers("key3_q_choices_as", CHOICES, '{"choices": ["A"]}'),
    bench_answers("key3_q_choices_as", CHOICES | {"choices": None}, None),
    bench_answers("key3_q_choices_a", CHOICES, None),
    bench_answers("key3_q_choices_a", CHOICES, "B", force_generate=True),
    bench_answers("key1_text_score", {"text": "a"}, None, force_generate=True),
    bench_answers("key2_qa", {"question": "2+2?", "generated_ans": "old"}, "old"),
    bench_answers("key2_qa", {"question": "2+2?", "generated_ans": "old"}, "new", allow_overwrite=True),
]


def judged(op: Any, table: dict[tuple[Any, Any], Any], **keys: Any) -> Case:
    rows = [{"generated_cot": a, "golden_answer": r, "question": "Which?"} for a, r in table]
    return Case(op, rows, [{"answer_match_result": v} for v in table.values()], keys)


MATCHES = {
    ("so \\boxed{\\frac{1}{2}}", "0.5"): True,
    ("The answer is Paris.", "paris"): True,
    ("It is 10", "1"): False,
    ("It is 1", "10"): False,
    ("We were in Paris and in Rome", "Paris"): False,
    (None, "1"): False,
    ("1", None): None,
    ("1", " "): None,
    ("#### 1,234", 1234): True,
}
VERDICTS = by_answer(
    {
        "yes": TRUE, "no": FALSE, "not true": "not true", "prose": "They agree: true.", "lost": None, "both": "true or false",
    }
)  # fmt: skip
VERDICT_TABLE = {
    ("yes", "r"): True, ("no", "r"): False, ("prose", "r"): True, ("not true", "r"): None, ("both", "r"): None,
    ("lost", "r"): None, (None, "r"): False, ("yes", None): None,
}  # fmt: skip
PARTS = by_answer(
    {
        "all": '```json\n{"reason": "x", "judgement": ["true", true, "empty"]}\n```',
        "some": '{"judgement": ["true", "FALSE"]}',
        "none": '{"judgement": ["empty"]}',
        "odd": '{"judgement": ["perhaps"]}',
        "bare": '{"judgement": true}',
        "(no answer)": '{"judgement": ["false", "false"]}',
        "lost": None,
    }
)
PART_ROWS = {
    "all": (True, 2, 2), "some": (False, 1, 2), "none": (None, 0, 0), "odd": (None, None, None),
    "bare": (None, None, None), None: (False, 0, 2), "lost": (None, None, None),
}  # fmt: skip
BENCH = [
    judged(BenchDatasetEvaluator(STATISTICS), MATCHES),
    judged(BenchDatasetEvaluator(STATISTICS, "semantic", llm_serving=VERDICTS), VERDICT_TABLE),
    judged(BenchDatasetEvaluatorQuestion(STATISTICS), MATCHES),
    judged(
        BenchDatasetEvaluatorQuestion(STATISTICS, "semantic", llm_serving=VERDICTS),
        VERDICT_TABLE,
        input_question_key="question",
    ),
    Case(
        BenchDatasetEvaluatorQuestion(STATISTICS, "semantic", llm_serving=PARTS, support_subquestions=True),
        [{"generated_cot": a, "golden_answer": "r"} for a in PART_ROWS],
        [
            {"answer_match_result": m, "correct_answer_num": n, "total_subquestions": t}
            for m, n, t in PART_ROWS.values()
        ],
    ),
]


class Likelihoods:
    """A serving that knows how likely some continuations are, at a token a word."""

    def __init__(self, **known: float) -> None:
        self.known = known

    def generate_from_input(
        self, user_inputs: list[str], system_prompt: str = "", json_schema: Any = None
    ) -> list[Any]:
        return [None] * len(user_inputs)

    def loglikelihood(self, contexts: list[str], continuations: list[str]) -> list[tuple[float, int] | None]:
        return [
            (self.known[t.split()[0]], len(t.split())) if t.split()[0] in self.known else None
            for t in continuations
        ]


def unified(
    eval_type: str, rows: dict[Any, tuple[Any, str]], columns: tuple[str, ...], **settings: Any
) -> Case:
    """Rows as tuples of the columns, each to its score and error code."""
    op = UnifiedBenchDatasetEvaluator(STATISTICS, eval_type, **settings)
    keys = {f"input_{c}_key": c for c in columns if c != "generated_ans"}
    records = [dict(zip(columns, json.loads(cells), strict=True)) for cells in rows]
    gives = [{"eval_score": s, "eval_error": e, "eval_valid": s is not None} for s, e in rows.values()]
    return Case(op, records, gives, keys)


def cells(*values: Any) -> str:
    return json.dumps(values)


QA = ("target", "question", "generated_ans")
CHOICE = ("question", "choices", "label", "generated_ans")
SEVERAL = ("question", "choices", "labels", "generated_ans")
UNIFIED = [
    unified(
        "key2_qa",
        {
            cells("10", "?", "1"): (0.0, ""),
            cells("1", "?", "10"): (0.0, ""),
            cells("Paris", "?", "Not Paris but Rome"): (0.0, ""),
            cells("H₂O", "?", "h2o."): (1.0, ""),
            cells("1/2", "?", "so it is \\boxed{0.5}"): (1.0, ""),
            cells(None, "?", "1"): (None, "empty_reference"),
            cells("1", "?", None): (0.0, "empty_prediction"),
        },
        QA,
    ),
    unified(
        "key2_qa",
        {
            cells("1", "?", "yes"): (1.0, ""),
            cells("1", "?", "no"): (0.0, ""),
            cells("1", "?", "not true"): (None, "semantic_judge_failed"),
            cells("1", None, "lost"): (None, "semantic_judge_failed"),
            cells("1", "?", ""): (0.0, "empty_prediction"),
            cells("", "?", "yes"): (None, "empty_reference"),
        },
        QA,
        llm_serving=VERDICTS,
        use_semantic_judge=True,
    ),
    unified(
        "key2_q_ma",
        {
            cells(["one", "2"], "The answer is 2"): (1.0, ""),
            cells('["3"]', "4"): (0.0, ""),
            cells("5||6", "6"): (1.0, ""),
            cells([], "6"): (None, "empty_references"),
        },
        ("targets", "generated_ans"),
    ),
    unified(
        "key3_q_choices_a",
        {
            cells("?", ["red", "a cat"], 1, "B"): (1.0, ""),
            cells("?", ["red", "a cat"], "A", "I think a cat"): (0.0, "parse_failed"),
            cells("?", '["red", "blue"]', "2", "The answer is (B)."): (1.0, ""),
            cells("?", ["red", "blue"], 0, "A and B"): (0.0, ""),
            cells("?", ["red", "blue"], 0, None): (None, "ll_unavailable"),
            cells("?", ["red", "blue"], 7, "A"): (None, "invalid_label"),
            cells("?", [], 0, "A"): (None, "empty_choices"),
            cells("?", "red", 0, "A"): (None, "choices_not_list"),
        },
        CHOICE,
    ),
    unified(
        "key3_q_choices_a",
        {
            cells("?", ["no", "yes of course it is"], 1): (1.0, ""),
            cells("?", ["no", "unknown"], 0): (None, "ll_unavailable"),
            cells("?", ["no", None], 0): (None, "ll_unavailable"),
        },
        CHOICE[:3],
        llm_serving=Likelihoods(no=-4.0, yes=-5.0),
    ),
    unified(
        "key3_q_choices_as",
        {
            cells("?", ["w", "x", "y"], ["A", "C"], '{"choices": ["A", "C"]}'): (1.0, ""),
            cells("?", ["w", "x", "y"], "A,C", "A and B"): (0.5, ""),
            cells("?", ["w", "x", "y"], [0], "none of them"): (0.0, "parse_failed"),
            cells("?", ["w", "x", "y"], [0], ""): (0.0, "empty_prediction"),
            cells("?", ["w", "x", "y"], [], "A"): (None, "invalid_label"),
            cells("?", None, ["A"], "A"): (None, "empty_choices"),
        },
        SEVERAL,
    ),
    unified(
        "key3_q_a_rejected",
        {
            cells("?", "good and long enough", "bad", "context"): (1.0, ""),
            cells("?", "bad", "good and long enough", None): (0.0, ""),
            cells("?", None, "bad", None): (None, "empty_better"),
            cells("?", "good", " ", None): (None, "empty_rejected"),
            cells("?", "good", "unknown", None): (None, "ll_unavailable"),
        },
        ("question", "better", "rejected", "context"),
        llm_serving=Likelihoods(good=-6.0, bad=-5.0),
    ),
    unified(
        "key1_text_score",
        {
            cells("word word"): (1.0, ""),
            cells("strange"): (None, "ppl_unavailable"),
            cells(None): (None, "empty_text"),
        },
        ("text",),
        llm_serving=Likelihoods(word=-0.0),
    ),
    unified("key1_text_score", {cells("word word"): (None, "ppl_unavailable")}, ("text",)),
]


class Slow:
    """A serving that keeps count of the calls in flight."""

    def __init__(self, reply: str) -> None:
        self.reply, self.now, self.most = reply, 0, 0

    def generate_from_input(
        self, user_inputs: list[str], system_prompt: str = "", json_schema: Any = None
    ) -> list[Any]:
        raise AssertionError("its own engine is to be used")

    async def ask(self, request: Request, scope: Scope, row: str = "0", sample: int = 0) -> Reply:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.01)
        self.now -= 1
        return Reply(self.reply)


STATUS = [
    {"id": i, "status": s, "score": x}
    for i, s, x in [("007", "ok", 3.5), ("008", None, None), ("009", "ok", 1.0)]
]
FREE_FORM = [
    Case(
        GeneralFilter([lambda df: df["status"] == "ok", pl.col("score") > 2]),
        STATUS,
        [STATUS[0]],
    ),
    Case(PandasOperator([lambda df: df[["id"]], lambda df: df.head(1)]), STATUS, [{"id": "007"}]),
]

SCORE = [
    keeps(ScoreFilter(min_score=2, max_score=4.5), [1, 2, 4.5, 5, None], [2, 4.5]),
    keeps(ScoreFilter(min_score=2), [1.0, float("nan"), 3.0], [3.0]),
    keeps(ScoreFilter(), [-1, 1], [-1, 1]),
    Case(
        ScoreFilter(max_score=3),
        [{"score": s} for s in (1, "high", True, 9)],
        [{"score": 1}],
        failed=2,
        dropped=1,
    ),
]


def prefers_long(prompt: str) -> str:
    """A judge that prefers the longer answer, and of two as long the first; of some it will not judge."""
    first, second = (prompt.split(f"<answer_{n}>\n")[1].split(f"\n</answer_{n}>")[0] for n in "ab")
    return "I cannot say." if "mute" in first else "A is better." if len(first) >= len(second) else "B"


PASSAGES = [
    expands(
        PassageSplitter(max_chars=10, min_chars=0), ["One.\n\nTwo two.", " ", None], ["One.", "Two two."]
    ),
    replies(
        PassageQAGenerator,
        {
            '{"question": "Who? ", "answer": "He."}': ("Who?", "He."),
            '{"question": "Who?"}': FAILED,
            "I cannot.": FAILED,
            None: FAILED,
        },
    ),
    Case(
        PairwisePreferenceGenerator(ScriptedServing(by=prefers_long)),
        [
            {"question": "Why?", "first": first, "second": second}
            for first, second in [
                ("So.", "For a reason."),
                ("For a reason.", "So."),
                ("odd", "Odd"),
                ("same", " same "),
                ("So.", None),
                ("mute", "mute!"),
            ]
        ],
        [
            {"preference": "second", "chosen": "For a reason.", "rejected": "So."},
            {"preference": "first", "chosen": "For a reason.", "rejected": "So."},
            {"preference": "tie", "chosen": None, "rejected": None},
            {"preference": "tie", "chosen": None, "rejected": None},
            {"preference": None, "chosen": None, "rejected": None},
        ],
        failed=1,
    ),
    keeps(
        SelfContainedQuestionFilter(), ["Who was king?", "What does the author say?", None], ["Who was king?"]
    ),
    keeps(
        AnswerOverlapFilter(),
        [("the river Elm", "The river Elm rises."), ("an invented castle", "The river Elm rises.")],
        [("the river Elm", "The river Elm rises.")],
    ),
    replies(
        GroundedAnswerSampleEvaluator, {"4": 4, "none": FAILED, None: FAILED}, row=("passage", "Who?", "He.")
    ),
    keeps(
        EmbeddingDeduplicateFilter(Vectors()),
        ["1,0", "0,1", "1,0.01", None, "lost"],
        ["1,0", "0,1", None, "lost"],
    ),
]

SAID = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
FORMS = [
    Case(
        ChatFormatGenerator(),
        [{"q": q, "a": a} for q, a in [("Why?", "So."), ("Why?", None), (" ", "So."), ("Why?", {"x": 1})]],
        [
            {"messages": SAID},
            {"messages": None},
            {"messages": None},
            {"messages": [SAID[0], {"role": "assistant", "content": '{"x":1}'}]},
        ],
        {"input_question_key": "q", "input_answer_key": "a"},
    ),
    maps(
        ChatFormatGenerator("Be brief."),
        {("Why?", "So."): [{"role": "system", "content": "Be brief."}, *SAID]},
    ),
    Case(
        ColumnsToRowsGenerator(("first", "second")),
        [{"a": "x", "b": "y", "n": 1}, {"a": None, "b": "", "n": 2}, {"a": None, "b": None, "n": 3}],
        [
            {"n": 1, "value": "x", "from": "first"},
            {"n": 1, "value": "y", "from": "second"},
            {"n": 2, "value": "", "from": "second"},
        ],
        {"input_keys": ["a", "b"], "output_name_key": "from"},
        dropped=1,
    ),
    expands(ColumnsToRowsGenerator(), ["x", None], ["x"], input_keys=["a"]),
]

CASES: list[Case] = [
    *PROMPTED, *FORMAT_STR, *CHUNKED, *RANDOM_DOMAIN, *TEXT2QA, *MULTI_HOP, *VECTORS, *RETRIEVAL, *BENCH_ANSWERS, *BENCH,
    *UNIFIED, *FREE_FORM, *SCORE, *PASSAGES, *FORMS,
]  # fmt: skip
