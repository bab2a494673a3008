"""The operators of core_text: their cases, their promises, and the faults that they must not have."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import core_text_cases
import pandas as pd
import polars as pl
import pytest
from core_text_cases import CASES, FILES, PASSAGE, TRUE, Likelihoods, Vectors, graded, hop, qa_server

from dataflow.core.errors import BindError, ConfigError, MissingDependency
from dataflow.core.frames import records
from dataflow.core.operator import Operator, OperatorABC
from dataflow.core.prompt import DIYPromptABC
from dataflow.core.protocols import Reply, Request, Scope
from dataflow.operators._lib import answers
from dataflow.operators.core_text.bench_answer import BenchAnswerGenerator
from dataflow.operators.core_text.bench_dataset import BenchDatasetEvaluator, BenchDatasetEvaluatorQuestion
from dataflow.operators.core_text.chunked import ChunkedPromptedGenerator
from dataflow.operators.core_text.embedding import EmbeddingGenerator
from dataflow.operators.core_text.format_str import FormatStrPromptedGenerator
from dataflow.operators.core_text.free_form import GeneralFilter, PandasOperator
from dataflow.operators.core_text.k_center import KCenterGreedyFilter
from dataflow.operators.core_text.multi_hop import Text2MultiHopQAGenerator, complexity, windows
from dataflow.operators.core_text.near_duplicates import EmbeddingDeduplicateFilter
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
from dataflow.operators.core_text.text2qa import Text2QAGenerator, Text2QASampleEvaluator, parse_instructions
from dataflow.operators.core_text.unified_bench import UnifiedBenchDatasetEvaluator
from dataflow.prompts.core_text import BenchAnswerPrompt, FormatStrPrompt
from dataflow.prompts.model_evaluation.general import AnswerJudgePrompt, AnswerJudgePromptQuestion
from dataflow.testing import Case, ScriptedServing, Table, check_operator, run_rows

Rows = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


def mine() -> dict[str, type[OperatorABC]]:
    """Every operator of the modules under test."""
    classes: dict[str, type[OperatorABC]] = {}
    for value in vars(core_text_cases).values():
        if isinstance(value, type) and issubclass(value, OperatorABC):
            classes[value.__name__] = value
    return classes


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_case(case: Case) -> None:
    case.check()


def test_every_operator_has_a_case() -> None:
    package = importlib.import_module("dataflow.operators.core_text")
    named = [n for n in package.__all__ if issubclass(getattr(package, n), OperatorABC)]
    without = sorted(set(named) - {c.name for c in CASES})
    assert not without, f"add cases of {', '.join(without)} to core_text_cases.py"


LLM = ScriptedServing("3")
KEPT: list[tuple[Operator, dict[str, Any]]] = [
    (PromptedGenerator(LLM), {}),
    (PromptedRefiner(LLM), {}),
    (PromptedEvaluator(LLM), {}),
    (PromptedFilter(LLM, min_score=2), {}),
    (FormatStrPromptedGenerator(LLM), {"input_text": "t"}),
    (ChunkedPromptedGenerator(LLM), {"input_path_key": "path", "output_path_key": "out"}),
    (RandomDomainKnowledgeRowGenerator(ScriptedServing('{"instruction": "a", "output": "b"}'), 3, "law"), {}),
    (Text2QAGenerator(ScriptedServing(by=qa_server)), {"input_question_num": 2}),
    (Text2QASampleEvaluator(ScriptedServing(graded(3))), {}),
    (Text2MultiHopQAGenerator(ScriptedServing(json.dumps(hop("?")))), {}),
    (EmbeddingGenerator(LLM), {}),
    (RetrievalGenerator(LLM), {}),
    (KCenterGreedyFilter(4, LLM), {}),
    (BenchAnswerGenerator(llm_serving=LLM), {"input_question_key": "q"}),
    (BenchAnswerGenerator("key3_q_choices_a"), {"input_question_key": "q", "input_choices_key": "c"}),
    (BenchDatasetEvaluator(), {}),
    (BenchDatasetEvaluator(None, "semantic", llm_serving=ScriptedServing(TRUE)), {}),
    (BenchDatasetEvaluatorQuestion(), {"input_question_key": "q"}),
    (
        BenchDatasetEvaluatorQuestion(None, "semantic", llm_serving=LLM, support_subquestions=True),
        {"input_question_key": "q"},
    ),
    (UnifiedBenchDatasetEvaluator(), {"input_target_key": "t"}),
    (UnifiedBenchDatasetEvaluator(None, "key1_text_score"), {"input_text_key": "t"}),
    (UnifiedBenchDatasetEvaluator(None, "key2_q_ma"), {"input_targets_key": "t"}),
    (
        UnifiedBenchDatasetEvaluator(None, "key3_q_choices_a"),
        {"input_question_key": "q", "input_choices_key": "c", "input_label_key": "l"},
    ),
    (
        UnifiedBenchDatasetEvaluator(None, "key3_q_choices_as"),
        {"input_choices_key": "c", "input_labels_key": "l"},
    ),
    (
        UnifiedBenchDatasetEvaluator(None, "key3_q_a_rejected", Likelihoods()),
        {"input_question_key": "q", "input_better_key": "b", "input_rejected_key": "r"},
    ),
    (ScoreFilter(min_score=2), {}),
    (PassageSplitter(), {}),
    (PassageQAGenerator(ScriptedServing('{"question": "Who?", "answer": "He."}')), {}),
    (SelfContainedQuestionFilter(), {}),
    (AnswerOverlapFilter(), {}),
    (GroundedAnswerSampleEvaluator(LLM), {}),
    (EmbeddingDeduplicateFilter(LLM), {}),
]


@pytest.mark.parametrize(
    ("op", "keys"), KEPT, ids=lambda v: type(v).__name__ if isinstance(v, Operator) else ""
)
def test_promises(op: Operator, keys: dict[str, Any]) -> None:
    check_operator(op, **keys)


def test_every_operator_with_ports_keeps_its_promises() -> None:
    with_ports = {name for name, cls in mine().items() if issubclass(cls, Operator)}
    assert with_ports == {type(op).__name__ for op, _ in KEPT}


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


class Shout(DIYPromptABC):
    def build_prompt(self, **fields: Any) -> str:
        return f"{fields.get('input_text') or fields.get('question')}!"


# Prompts


@pytest.mark.parametrize(
    ("cls", "settings"),
    [
        (FormatStrPromptedGenerator, {"llm_serving": LLM}),
        (RandomDomainKnowledgeRowGenerator, {"llm_serving": LLM, "generation_num": 1, "domain_keys": "law"}),
        (Text2MultiHopQAGenerator, {"llm_serving": LLM}),
        (BenchAnswerGenerator, {}),
        (BenchDatasetEvaluator, {}),
        (BenchDatasetEvaluatorQuestion, {}),
        (UnifiedBenchDatasetEvaluator, {}),
    ],
)
def test_prompts_are_restricted_and_none_is_the_default(
    cls: type[Operator], settings: dict[str, Any]
) -> None:
    cls(**settings)
    cls(**settings, prompt_template=None)
    cls(**settings, prompt_template=Shout())
    for wrong in (cls, FormatStrPrompt, core_text_cases.Vectors()):
        with pytest.raises(TypeError, match="Invalid prompt_template"):
            cls(**settings, prompt_template=wrong)


def test_the_grading_operators_name_their_prompts() -> None:
    assert [p.__name__ for p in Text2QASampleEvaluator.ALLOWED_PROMPTS][0] == "Text2QAQuestionQualityPrompt"
    assert len(Text2QAGenerator.ALLOWED_PROMPTS) == 2


# Settings by position


def test_settings_may_be_given_by_position() -> None:
    assert BenchAnswerGenerator("key2_q_ma", LLM, None, "told", True, True).allow_overwrite
    assert BenchDatasetEvaluator("a.json", "semantic", "told", LLM).llm_serving is LLM
    assert (
        UnifiedBenchDatasetEvaluator("a.json", "key2_qa", LLM, None, "told", "math_verify").system_prompt
        == "told"
    )
    assert KCenterGreedyFilter(2, LLM).num_samples == 2
    assert ChunkedPromptedGenerator(LLM, "told", None, 10, None, "--").separator == "--"
    assert FormatStrPromptedGenerator(LLM, "told", FormatStrPrompt("{a}")).prompt.slots == ("a",)
    assert Text2MultiHopQAGenerator(LLM, 1, "zh", None, 2).num_q == 2


# FormatStrPromptedGenerator


def test_format_str_slots_are_checked_before_anything_runs() -> None:
    op = FormatStrPromptedGenerator(LLM, prompt_template=FormatStrPrompt("{question}"))
    faults = list(op.check(op.bind(qestion="q")))
    assert "{question}" in faults[0][1]
    assert "Did you mean 'qestion'?" in faults[0][1]
    lenient = FormatStrPromptedGenerator(LLM, prompt_template=FormatStrPrompt("{a}", on_missing="empty"))
    assert not list(lenient.check(lenient.bind()))


def test_format_str_without_fields_is_asked_for_every_row() -> None:
    op = FormatStrPromptedGenerator(LLM, prompt_template=FormatStrPrompt("Say hello."))
    assert run_rows(op, [{"a": 1}, {"a": 2}]).frame["generated_content"].to_list() == ["3", "3"]


def test_format_str_sends_system_prompt_schema_and_diy_prompts() -> None:
    llm = ScriptedServing("{}")
    op = FormatStrPromptedGenerator(llm, "Be brief.", Shout(), {"type": "object"})
    run_rows(op, [{"t": "hey"}], input_text="t")
    assert llm.requests == [Request.of("hey!", "Be brief.", {"type": "object"})]


def test_format_str_prompt_refuses_an_unknown_way_of_missing() -> None:
    with pytest.raises(ConfigError, match="on_missing"):
        FormatStrPrompt("x", on_missing="skip")  # type: ignore[arg-type]


# ChunkedPromptedGenerator


def test_chunks_are_sent_with_the_system_prompt_in_its_role_and_joined() -> None:
    Path("long.txt").write_text("alpha beta gamma\ndelta eps\n", encoding="utf-8")
    llm = ScriptedServing(by=lambda p: f"<{p.strip()}>")
    op = ChunkedPromptedGenerator(llm, "Sum up.", max_chunk_len=3, separator="+")
    done = run_rows(op, [{"p": "long.txt"}], input_path_key="p", output_path_key="o")
    assert Path(done.frame["o"][0]).read_text("utf-8") == "<alpha beta>+<gamma>+<delta eps>"
    assert {r.messages[0]["content"] for r in llm.requests} == {"Sum up."}
    assert "".join(llm.prompts) == "alpha beta gamma\ndelta eps\n"


def test_a_file_with_one_failed_chunk_leaves_nothing_behind() -> None:
    Path("bad.txt").write_text("good\nevil\n", encoding="utf-8")
    Path("bad_llm_output.txt").write_text("from an earlier run", encoding="utf-8")
    llm = ScriptedServing(by=lambda p: None if "evil" in p else "fine")
    op = ChunkedPromptedGenerator(llm, max_chunk_len=2)
    done = run_rows(op, [{"p": "bad.txt"}], input_path_key="p", output_path_key="o")
    assert done.failed.height == 1
    assert Path("bad_llm_output.txt").read_text("utf-8") == "from an earlier run"
    assert len(llm.prompts) == 2
    assert not list(Path.cwd().glob(".bad*"))


def test_an_encoder_counts_tokens_and_an_empty_file_asks_nothing() -> None:
    class Letters:
        def encode(self, text: str) -> list[str]:
            return list(text)

    Path("empty.txt").write_text("", encoding="utf-8")
    Path("ab.txt").write_text("abcdef", encoding="utf-8")
    llm = ScriptedServing("x")
    op = ChunkedPromptedGenerator(llm, max_chunk_len=3, enc=Letters())
    run_rows(op, [{"p": "empty.txt"}, {"p": "ab.txt"}], input_path_key="p", output_path_key="o")
    assert llm.prompts == ["abc", "def"]
    assert Path("empty_llm_output.txt").read_text("utf-8") == ""
    assert "tiktoken" not in sys.modules


# RandomDomainKnowledgeRowGenerator


def test_random_rows_are_all_asked_for_something_else_and_repeat_by_seed() -> None:
    def asked(seed: int, rows: int = 300) -> list[str]:
        llm = ScriptedServing('{"instruction": "a", "output": "b"}')
        run_rows(RandomDomainKnowledgeRowGenerator(llm, rows, "law, art；音乐", seed=seed), [])
        return sorted(llm.prompts)

    first = asked(0)
    assert len({p.split("Sample ")[1].split(". ", 1)[1] for p in first}) == 300
    assert first == asked(0) != asked(1)
    assert {d for d in ("law", "art", "音乐") if any(f"\n{d}\n" in p for p in first)} == {
        "law",
        "art",
        "音乐",
    }
    assert set(asked(0, 3)) < set(first)


def test_random_rows_start_from_an_empty_table() -> None:
    with pytest.raises(BindError, match="makes rows out of nothing"):
        run_rows(RandomDomainKnowledgeRowGenerator(LLM, 1, "law"), [{"a": 1}])
    op = RandomDomainKnowledgeRowGenerator(LLM, 0, "law")
    assert run_rows(op, []).frame.height == 0
    assert not list(op.check(op.bind()))


# Text2QAGenerator and Text2QASampleEvaluator


def test_pairs_stay_with_their_text_whatever_fails() -> None:
    rows = [{"text": t} for t in ("silent", "one", "prose", "two", "half", "nothing", "three")]
    done = run_rows(Text2QAGenerator(ScriptedServing(by=qa_server)), rows, input_question_num=2)
    assert [r["text"] for r in records(done.frame)] == ["one", "one", "two", "two", "half", "three", "three"]
    assert done.failed.height == 2
    assert done.dropped["reason"].to_list() == ["empty"]


def test_each_pair_is_asked_about_its_own_text() -> None:
    llm = ScriptedServing(by=qa_server)
    run_rows(Text2QAGenerator(llm), [{"text": "first </text> x"}, {"text": "second"}], input_question_num=5)
    assert len(llm.prompts) == 2 * (1 + 2)
    assert all(p.count("</text>") == 1 for p in llm.prompts)


def test_a_failed_call_for_one_pair_fails_the_row_so_that_it_can_be_retried() -> None:
    def server(prompt: str) -> str | None:
        return None if "river" in prompt and "Write instructions" not in prompt else qa_server(prompt)

    done = run_rows(Text2QAGenerator(ScriptedServing(by=server)), [{"text": "a"}], input_question_num=2)
    assert (done.frame.height, done.failed.height) == (0, 1)


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ('{"prompts": ["a", " "]}', ["a"]),
        ('[{"prompt": "a"}, {"n": 1}, 3, "b"]', ["a", "b"]),
        ('{"prompt": "a"}', []),
    ],
)
def test_instructions_are_read_from_any_list(reply: str, found: list[str]) -> None:
    assert parse_instructions(reply) == found


def test_the_question_is_graded_without_its_answer_and_all_four_at_once() -> None:
    llm = ScriptedServing(graded(4))
    row = {"generated_question": "Who?", "generated_answer": "Me, secretly."}
    run_rows(Text2QASampleEvaluator(llm), [row])
    assert ["secretly" in p for p in llm.prompts] == [False, True, True, True]
    assert len({r.messages[0]["content"] for r in llm.requests}) == 4
    slow = Slow(graded(4))
    run_rows(Text2QASampleEvaluator(slow), [row, row])
    assert slow.most == 8


# Text2MultiHopQAGenerator


def test_only_as_many_windows_are_asked_as_questions_are_missing() -> None:
    llm = ScriptedServing(by=lambda p: json.dumps(hop("The same?" if "mill was" in p else "Another?")))
    row = {"cleaned_chunk": PASSAGE}
    assert len(windows(PASSAGE)) == 2
    run_rows(Text2MultiHopQAGenerator(llm, num_q=1), [row])
    assert len(llm.prompts) == 1
    done = run_rows(Text2MultiHopQAGenerator(llm, num_q=5), [row])
    assert len(llm.prompts) == 3
    assert len(records(done.frame)[0]["QA_pairs"]) == 1


def test_questions_are_told_apart_and_cut_at_num_q() -> None:
    three = json.dumps([hop("One?"), hop("one? "), hop("Two?"), hop("Three?"), "odd"])
    done = run_rows(Text2MultiHopQAGenerator(ScriptedServing(three), num_q=2), [{"cleaned_chunk": PASSAGE}])
    assert [p["question"] for p in records(done.frame)[0]["QA_pairs"]] == ["One?", "Two?"]


def test_decimals_and_abbreviations_end_no_sentence() -> None:
    assert "Dr. Smith" in windows(PASSAGE)[0]
    assert "3.5 thousand" in windows(PASSAGE)[0]


def test_dropped_texts_say_why() -> None:
    texts = [None, "short", "x" * 120, "#$%&/.." * 40, "ab. " * 60_000]
    done = run_rows(Text2MultiHopQAGenerator(LLM), [{"cleaned_chunk": t} for t in texts])
    wanted = ["null", "too short", "fewer than two sentences", "too many symbols", "too long"]
    assert done.dropped["reason"].to_list() == wanted


def test_complexity_counts_chinese_words_and_the_prompt_follows_the_language() -> None:
    pair = hop(
        "这条河流经哪个地方的古老磨坊并最终注入大海呢？",
        answer="磨坊",
        reasoning_steps=[],
        supporting_facts=[],
    )
    assert complexity([pair]) == pytest.approx(0.15 + 0.15 * 2 / 50)
    assert complexity([]) == 0
    llm = ScriptedServing("[]")
    text = (
        "这条河发源于北方的山区。它流经一座古老的磨坊，最终注入大海。磨坊建于一八七零年，由当地居民集资修建而成。"
        * 3
    )
    run_rows(Text2MultiHopQAGenerator(llm, lang="zh", num_q=1), [{"cleaned_chunk": text}])
    assert "JSON 对象" in llm.prompts[0]
    assert "中文" in str(llm.requests[0].messages[0]["content"])


def test_steps_given_as_bare_texts_are_taken() -> None:
    reply = json.dumps(hop("One?", reasoning_steps=["first"]))
    done = run_rows(Text2MultiHopQAGenerator(ScriptedServing(reply), num_q=1), [{"cleaned_chunk": PASSAGE}])
    assert records(done.frame)[0]["QA_pairs"][0]["reasoning_steps"] == [{"step": "first"}]


# KCenterGreedyFilter


def test_centres_are_seeded_exactly_as_many_and_in_order() -> None:
    rows: Rows = [{"content": f"{i},{(i * 7) % 11}"} for i in range(40)]

    def kept(seed: int, count: int = 7) -> list[str]:
        return run_rows(KCenterGreedyFilter(count, Vectors(), seed=seed), rows).frame["content"].to_list()

    assert kept(0) == kept(0)
    assert kept(0) != kept(1)
    assert all(len(kept(0, n)) == n for n in (1, 7, 39, 40))
    assert kept(0, 100) == [r["content"] for r in rows]


def test_centres_cover_the_far_points() -> None:
    done = run_rows(
        KCenterGreedyFilter(2, Vectors()), [{"content": c} for c in ("0,0", "0,0.1", "50,50", None)]
    )
    assert "50,50" in done.frame["content"].to_list()
    assert done.dropped.height == 2


def test_centres_need_a_serving() -> None:
    op = KCenterGreedyFilter(2)
    assert list(op.check(op.bind())) == [("embedding_serving", " is needed")]
    with pytest.raises(ConfigError, match="needs embedding_serving"):
        run_rows(op, [{"content": "a"}])


# RetrievalGenerator


class Documents:
    """A retriever of the kind that must be awaited, and gives a list for each query."""

    async def generate_from_input(self, user_inputs: list[str], system_prompt: str = "") -> list[Any]:
        await asyncio.sleep(0)
        return [[f"about {q}"] if q != "plain" else "a text" for q in user_inputs]


def test_retrieval_may_be_awaited_and_may_give_lists() -> None:
    table = Table(pl.DataFrame({"raw_content": ["plain", "rivers", None, ""]}))

    async def main() -> str:
        key: str = await RetrievalGenerator(Documents()).run(table)  # type: ignore[misc]
        return key

    assert asyncio.run(main()) == "generated_content"
    assert table.table["generated_content"].to_list() == ["a text", '["about rivers"]', None, None]
    assert RetrievalGenerator(Documents()).run(table, output_key="x") == "x"


# BenchAnswerGenerator


def test_a_template_of_ones_own_gets_what_a_row_has_and_nothing_for_the_rest() -> None:
    llm = ScriptedServing("A")
    template = FormatStrPrompt("{eval_type}|{context}|{question}|{choices}|{choices_text}")
    op = BenchAnswerGenerator("key3_q_choices_as", llm, template)
    keys = {"input_question_key": "q", "input_choices_key": "c", "input_context_key": "x"}
    assert not list(op.check(op.bind(**keys)))
    run_rows(
        op, [{"q": "?", "c": ["a", "b"], "x": None}, {"q": "?", "c": '["a"]', "x": ["l1", "l2"]}], **keys
    )
    assert llm.prompts == [
        'key3_q_choices_as||?|["a","b"]|A. a\nB. b',
        'key3_q_choices_as|l1\nl2|?|["a"]|A. a',
    ]


def test_bench_answers_are_checked_before_anything_runs() -> None:
    op = BenchAnswerGenerator("key3_q_choices_as", prompt_template=FormatStrPrompt("{choice_text}"))
    faults = dict(op.check(op.bind()))
    assert set(faults) == {"llm_serving", "input_question_key", "input_choices_key", "prompt_template"}
    assert not list(BenchAnswerGenerator("key3_q_choices_a").check(op.bind()))


def test_the_built_in_layout_leaves_out_what_is_not_there() -> None:
    prompt = BenchAnswerPrompt("key3_q_choices_a").build_prompt(
        question="{x}?", context="", choices_text="A. 1"
    )
    assert "<context>" not in prompt
    assert "{x}?" in prompt
    assert prompt.endswith("letter only.")


def test_the_multiple_choice_reply_asked_for_is_the_one_the_evaluator_reads() -> None:
    rows: Rows = [{"q": "?", "c": ["x", "y", "z"], "l": ["A", "C"]}]
    keys = {"input_question_key": "q", "input_choices_key": "c"}
    answered = run_rows(
        BenchAnswerGenerator("key3_q_choices_as", ScriptedServing('{"choices": ["A", "C"]}')), rows, **keys
    )
    op = UnifiedBenchDatasetEvaluator("s.json", "key3_q_choices_as")
    done = run_rows(op, records(answered.frame), **keys, input_labels_key="l")
    assert done.frame["eval_score"].to_list() == [1.0]


# The evaluators of whole benchmarks


def statistics(path: str = "s.json") -> dict[str, Any]:
    (record,) = json.loads(Path(path).read_text("utf-8"))
    return dict(record)


def test_accuracy_leaves_out_rows_without_a_reference() -> None:
    rows: Rows = [
        {"generated_cot": a, "golden_answer": r}
        for a, r in [("1", "1"), ("2", "1"), (None, "1"), ("1", None)]
    ]
    done = run_rows(BenchDatasetEvaluator("s.json"), rows)
    assert statistics() == {
        "bench_name_or_prefix": "s", "total_samples": 4, "valid_samples": 3, "matched_samples": 1, "accuracy": 1 / 3,
        "empty_responses_count": 0, "no_reference_count": 1, "compare_method": "match",
    }  # fmt: skip
    assert done.metrics["accuracy"] == 1 / 3
    assert done.frame.columns[1:] == ["generated_cot", "golden_answer", "answer_match_result"]


def test_accuracy_leaves_out_rows_whose_judge_said_nothing() -> None:
    judge = ScriptedServing(TRUE, None, "not true")
    rows: Rows = [{"generated_cot": str(i), "golden_answer": "1"} for i in range(3)]
    run_rows(BenchDatasetEvaluator("deep/er/s.json", "semantic", llm_serving=judge), rows)
    made = statistics("deep/er/s.json")
    assert (made["valid_samples"], made["accuracy"], made["empty_responses_count"]) == (1, 1.0, 2)


def test_statistics_are_written_even_if_nothing_is_valid() -> None:
    run_rows(BenchDatasetEvaluator(), [])
    (path,) = Path("result_bencheval").glob("BenchDatasetEvaluator_result_*.json")
    assert statistics(str(path))["accuracy"] is None


def test_the_judge_sees_the_question_and_is_asked_about_all_rows_at_once() -> None:
    judge = Slow(TRUE)
    rows: Rows = [{"generated_cot": "a", "golden_answer": "b", "question": f"q{i}"} for i in range(6)]
    op = BenchDatasetEvaluatorQuestion("s.json", "semantic", llm_serving=judge)
    run_rows(op, rows, input_question_key="question")
    assert judge.most == 6
    script = ScriptedServing(TRUE)
    own = AnswerJudgePromptQuestion("Q {question} A {answer} R {reference_answer}", "Own role.")
    op = BenchDatasetEvaluatorQuestion("s.json", "semantic", "told", script, own)
    run_rows(op, rows[:1] + [rows[0] | {"question": None}], input_question_key="question")
    assert sorted(script.prompts) == ["Q  A a R b", "Q q0 A a R b"]
    assert script.requests[0].messages[0]["content"] == "Own role."


def test_parts_of_questions_are_counted() -> None:
    judge = ScriptedServing('{"judgement": ["true", "false", "empty"]}', '{"judgement": [true]}', "none")
    rows: Rows = [{"generated_cot": str(i), "golden_answer": "1"} for i in range(3)]
    op = BenchDatasetEvaluatorQuestion("s.json", "semantic", llm_serving=judge, support_subquestions=True)
    done = run_rows(op, rows)
    made = statistics()
    assert (made["total_subquestions"], made["correct_subquestions"]) == (3, 2)
    assert made["subquestion_accuracy"] == pytest.approx(2 / 3)
    assert (made["valid_samples"], made["accuracy"]) == (2, 0.5)
    assert done.frame["response_evaluation"].to_list()[2] == "none"


def test_the_columns_of_parts_are_written_only_with_parts() -> None:
    plain = BenchDatasetEvaluatorQuestion("s.json", support_subquestions=True)
    assert list(plain.bind().writes.values()) == ["answer_match_result"]


@pytest.mark.parametrize(
    "op",
    [
        BenchDatasetEvaluator("s.json", "semantic"),
        UnifiedBenchDatasetEvaluator("s.json", use_semantic_judge=True),
    ],
)
def test_a_judge_needs_a_serving(op: Operator) -> None:
    keys = {"input_target_key": "golden_answer"} if isinstance(op, UnifiedBenchDatasetEvaluator) else {}
    assert [p for p, _ in op.check(op.bind(**keys))] == ["llm_serving"]
    row = {"generated_cot": "a", "generated_ans": "a", "golden_answer": "b"}
    with pytest.raises(ConfigError, match="needs llm_serving"):
        run_rows(op, [row], **keys)


def test_matching_names_the_extra_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "math_verify", None)
    answers._math_verify.cache_clear()
    rows: Rows = [{"generated_cot": "1/2", "golden_answer": "0.5"}]
    with pytest.raises(MissingDependency, match=r"dataflow-llm\[math\]"):
        run_rows(BenchDatasetEvaluator("s.json"), rows)
    assert (
        run_rows(BenchDatasetEvaluator("s.json"), [{"generated_cot": "1", "golden_answer": "1"}]).frame.height
        == 1
    )
    answers._math_verify.cache_clear()


def test_unified_statistics_count_only_rows_that_could_be_graded() -> None:
    rows: Rows = [{"t": t, "generated_ans": a} for t, a in [("1", "1"), ("1", "2"), ("1", None), (None, "1")]]
    run_rows(UnifiedBenchDatasetEvaluator("s.json"), rows, input_target_key="t")
    made = statistics()
    assert (made["total_samples"], made["valid_samples"], made["accuracy"]) == (4, 3, 1 / 3)
    assert made["errors"] == {"empty_prediction": 1, "empty_reference": 1}
    assert (made["eval_type"], made["metric"]) == ("key2_qa", "math_verify")


def test_micro_f1_is_pooled_and_the_mean_of_rows_is_kept_apart() -> None:
    rows: Rows = [
        {"c": ["w", "x", "y", "z"], "l": ["A"], "generated_ans": "A"},
        {"c": ["w", "x", "y", "z"], "l": ["A", "B", "C"], "generated_ans": "D"},
    ]
    op = UnifiedBenchDatasetEvaluator("s.json", "key3_q_choices_as")
    done = run_rows(op, rows, input_choices_key="c", input_labels_key="l")
    made = statistics()
    assert (made["micro_f1_mean"], made["micro_f1"], made["accuracy"]) == (0.5, pytest.approx(1 / 3), 0.5)
    assert records(done.frame)[0]["eval_pred"]["exact_set"] is True


def test_perplexity_is_averaged_and_nothing_else() -> None:
    op = UnifiedBenchDatasetEvaluator("s.json", "key1_text_score", Likelihoods(word=-2.0))
    done = run_rows(op, [{"text": "word word"}, {"text": "word"}], input_text_key="text")
    assert done.frame["eval_score"].to_list() == pytest.approx([2.718281828, 7.389056099])
    assert "accuracy" not in statistics()


def test_length_alone_wins_nothing() -> None:
    op = UnifiedBenchDatasetEvaluator("s.json", "key3_q_choices_a", Likelihoods(no=-4.0, yes=-6.0))
    rows: Rows = [{"q": "?", "c": ["no", "yes by all means"], "l": "B"}]
    keys = {"input_question_key": "q", "input_choices_key": "c", "input_label_key": "l"}
    assert run_rows(op, rows, **keys).frame["eval_score"].to_list() == [1.0]


def test_unified_settings_and_keys_are_checked() -> None:
    with pytest.raises(ConfigError, match="has the metrics math_verify, semantic_judge, not 'ppl'"):
        UnifiedBenchDatasetEvaluator(metric_type="ppl")
    with pytest.raises(BindError, match="needs input_target_key"):
        UnifiedBenchDatasetEvaluator().bind()
    with pytest.raises(ConfigError, match="eval_type"):
        UnifiedBenchDatasetEvaluator(eval_type="key9")


def test_the_judge_of_the_unified_evaluator_may_have_its_own_words() -> None:
    script = ScriptedServing(TRUE)
    own = AnswerJudgePrompt("{answer} or {reference_answer}?")
    op = UnifiedBenchDatasetEvaluator("s.json", "key2_qa", script, own, use_semantic_judge=True)
    run_rows(op, [{"t": "b", "generated_ans": "a"}], input_target_key="t")
    assert script.prompts == ["a or b?"]


# Free forms


TYPED: Rows = [
    {"id": "007", "tags": ["a"], "n": 1},
    {"id": "008", "tags": [], "n": None},
    {"id": "009", "tags": ["b"], "n": 3},
]


def filtered(*rules: Any, rows: Rows = TYPED) -> list[str]:
    return [r["id"] for r in records(run_rows(GeneralFilter(list(rules)), rows).frame)]


def test_rules_are_joined_and_null_counts_as_false() -> None:
    assert filtered() == ["007", "008", "009"]
    assert filtered(lambda df: df["n"].astype("Int64") > 1) == ["009"]
    assert filtered(lambda df: pd.Series([True, float("nan"), None], dtype=object)) == ["007"]
    assert filtered(lambda df: (df["n"] > 0).to_numpy(), pl.col("n") < 2) == ["007"]
    assert filtered(pl.col("n") > 1) == ["009"]
    assert filtered(lambda df: df.sort_values("n", ascending=False)["n"] > 2) == ["009"]
    assert filtered(lambda df: df["n"] > 9) == []


def test_a_filtered_table_keeps_its_types() -> None:
    table = Table(pl.DataFrame({"id": ["007", "008"], "tags": [["a"], []], "n": [1, None]}))
    schema = table.table.schema
    assert GeneralFilter([lambda df: df["id"] == "008"]).run(table) == ""
    assert table.table.schema == schema
    assert table.table["n"].to_list() == [None]


def odd(df: Any) -> Any:
    return df["id"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (odd, r"filter_rules\[0\] \(odd\) gave '007', where a truth value is needed"),
        (lambda df: df["n"].fillna(0).astype(int) * 0, "gave 0, where a truth value is needed"),
        (lambda df: True, "gave bool, where one truth value a row is needed"),
        (lambda df: df["n"].head(1) > 0, "gave 1 truth values for 3 rows"),
        (pl.col("id"), "gave '007'"),
    ],
)
def test_wrong_rules_are_named(rule: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        filtered(rule)


def test_functions_are_asked_for_when_operators_are_made() -> None:
    with pytest.raises(ConfigError, match=r"filter_rules\[1\]"):
        GeneralFilter([odd, "score > 3"])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match=r"process_fn\[0\]"):
        PandasOperator([3])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"process_fn\[0\] \(odd\) gave Series"):
        run_rows(PandasOperator([odd]), TYPED)


def test_pandas_functions_are_applied_in_order() -> None:
    op = PandasOperator([lambda df: df.assign(m=df["n"] + 1), lambda df: df[df["m"] > 2]])
    table = Table(pl.DataFrame(TYPED))
    assert op.run(table, output_key="m") == ""
    assert [r["id"] for r in records(table.table)] == ["009"]


def test_free_forms_take_an_empty_table() -> None:
    assert run_rows(GeneralFilter([lambda df: pd.Series([], dtype=bool)]), []).frame.height == 0
    assert run_rows(PandasOperator([lambda df: df]), []).frame.height == 0
