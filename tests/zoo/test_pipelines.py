"""Every pipeline of the zoo: checked, then run line by line and compiled to the same table, by scripted models."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import polars as pl
import pytest
from text2sql_model import FILMS, HARBOUR, LIBRARY, Knowing

from dataflow.cli import load
from dataflow.core.errors import CompileError, ConfigError
from dataflow.core.registry import PIPELINE_REGISTRY
from dataflow.pipeline import PipelineABC
from dataflow.serving import APILLMServing
from dataflow.testing import Faults, FaultyServer, ScriptedServing
from dataflow.zoo import _examples
from dataflow.zoo.bench_eval import (
    BenchEvalPipeline,
    BenchEvalSemanticPipeline,
    BenchEvalSemanticQuestionPipeline,
    BenchEvalSemanticQuestionSingleStepPipeline,
)
from dataflow.zoo.conversations import FuncCall_APIPipeline, TextConversationSynthesis_APIPipeline
from dataflow.zoo.extract_smiles import ExtractSmiles
from dataflow.zoo.model_comparison import ModelComparisonPipeline
from dataflow.zoo.multi_hop_qa import Text2MultiHopQA_APIPipeline
from dataflow.zoo.passage_qa import PassageQAPipeline
from dataflow.zoo.prompted import (
    FormatStrPrompted_APIPipeline,
    PromptedEvaluator_APIPipeline,
    PromptedFilter_APIPipeline,
    PromptedRefiner_APIPipeline,
)
from dataflow.zoo.text2qa import Text2QA_APIPipeline
from dataflow.zoo.text2sql import (
    Text2SQLGeneration_APIPipeline,
    Text2SQLRefine_APIPipeline,
    Text2VecSQLGeneration_APIPipeline,
)
from dataflow.zoo.text_filter import PTTextFilter_CPUPipeline, SFTTextFilter_CPUPipeline
from dataflow.zoo.text_pt import PTTextSynthesis_APIPipeline
from dataflow.zoo.text_sft import TextSFTSynthesis_APIPipeline
from dataflow.zoo.unified_bench import COLUMNS, EXAMPLES, UnifiedBenchEvalPipeline

Rows = list[dict[str, Any]]
GRADES = [f"{name}_{kind}" for name in ("question_quality", "answer_alignment", "answer_verifiability", "downstream_value") for kind in ("grades", "feedbacks")]  # fmt: skip
ASKED = ["question", "evidence", "question_type", "prompt"]


def known(db_id: str) -> dict[str, str]:
    """The queries of the example about a database with their questions, but for the pair that does not fit."""
    rows = map(json.loads, Path(_examples.TEXT2SQL).read_text("utf-8").splitlines())
    return {r["SQL"]: r["question"] for r in rows if r["db_id"] == db_id and "towns" not in r["question"]}


GRADED = ["sql_component_difficulty", "sql_execution_difficulty", "messages", "spider", "split"]
JUDGED = ["eval_valid", "eval_error", "eval_pred", "eval_score"]
SCORES = ("5", "1", "5", "2", "4", "1", "5", "3")
JUDGE = "judgement_result"
LOCAL = (PassageQAPipeline, ModelComparisonPipeline)
RULES = (PTTextFilter_CPUPipeline, SFTTextFilter_CPUPipeline)
TEXT2SQL = (Text2SQLGeneration_APIPipeline, Text2SQLRefine_APIPipeline, Text2VecSQLGeneration_APIPipeline)
EMBEDS = (Text2QA_APIPipeline, PassageQAPipeline, *TEXT2SQL)


def rows_of(path: str) -> Rows:
    return [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]


class Measuring(ScriptedServing):
    """A model that also tells likelihoods: every text has four tokens, and shorter ones are likelier."""

    def loglikelihood(self, contexts: list[str], texts: list[str]) -> list[tuple[float, int]]:
        return [(-float(len(t) ** 2), 4) for t in texts]


def text2qa(prompt: str) -> str:
    if "Write instructions" in prompt:
        return '["Ask about the cause.", "Ask about the number."]'
    graded = prompt.startswith("<question>")
    return "**Grading**: 4\n**Feedback**: fine" if graded else "Q: What is it?\nA: It is that."


def passage_qa(prompt: str) -> str:
    if "How well" in prompt:
        return "5"
    return json.dumps({"question": f"What is {crc32(prompt.encode())}?", "answer": "12"})


def comparison(prompt: str) -> str:
    """Two answers of different lengths, and a judge that likes the longer one."""
    if "Which answer is better" in prompt:
        first, second = (prompt.split(f"<answer_{n}>\n")[1].split(f"\n</answer_{n}>")[0] for n in "ab")
        return "A" if len(first) > len(second) else "B"
    return passage_qa(prompt) if "Write one question" in prompt else "x" * (crc32(prompt.encode()) % 50)


def multi_hop(prompt: str) -> str:
    steps = [{"step": "first"}, {"step": "second"}]
    question = f"Why {crc32(prompt.encode())}?"
    return json.dumps({"question": question, "reasoning_steps": steps, "answer": "so", "supporting_facts": ["a", "b"], "type": "science"})  # fmt: skip


def text_sft(prompt: str) -> str:
    """Three questions, an answer to each, its review, a better answer, and the rating of that."""
    if "three different questions" in prompt:
        return json.dumps(
            {level: f"{level} {crc32(prompt.encode())}?" for level in ("easy", "medium", "hard")}
        )
    if "Rate the quality" in prompt:
        return "2" if "hard" in prompt else "4.5"
    if "<review>" in prompt:
        return "<improved>\nbetter\n</improved>"
    return "Weaknesses: none" if "Review the answer" in prompt else "so"


def agents(prompt: str) -> str:
    """All that speak in a pipeline of function calls; the task of every row is that of the number of its scenario."""
    if prompt.startswith("<conversation>") or "Name the scenario" in prompt:
        return (
            '{"explanation": "fine", "score": 4}'
            if "Grade the conversation" in prompt
            else "A guest moves a booking"
        )
    if "another scenario" in prompt:
        return f"Patient {crc32(prompt.encode()) % 90 + 10} moves a visit"
    if "Write one request" in prompt:
        return f"Find the visit of {between(prompt, 'scenario').removesuffix(' moves a visit')}."
    if "Write a subsequent task" in prompt:
        task = between(prompt, "task")
        return f"Subsequent Task: Move it to 4 May 2026.\nComposition Task: {task} Move it to 4 May 2026."
    if "<ans>" in prompt:
        return "Both are needed, and enough. <ans>yes</ans>"
    if "Give each sub-task the functions" in prompt:
        return json.dumps({"sub_tasks": FUNCTION_PLAN})
    if "Write the message" in prompt:
        return f"<human>{between(prompt, 'task')}</human>"
    if "Returned before" in prompt:
        made = {"visit": "V-1"} if '"find_visit"' in prompt else {"moved": True}
        return f"<func_return>{json.dumps(made)}</func_return>"
    return assistant(prompt)


def between(prompt: str, tag: str) -> str:
    return prompt.split(f"<{tag}>\n")[1].split(f"\n</{tag}>")[0]


def assistant(heard: str) -> str:
    """Calls one function after the other, then ends."""
    if heard.startswith("<func_return"):
        moved = '"moved"' in heard
        move = {"name": "move_visit", "arguments": {"visit": "V-1", "day": "2026-05-04"}}
        return "<final>It is moved.</final>" if moved else f"<func_call>{json.dumps([move])}</func_call>"
    patient = heard.split("visit of ")[1].split(".")[0]
    find = {"name": "find_visit", "arguments": {"patient": patient}}
    return f"<func_call>{json.dumps([find])}</func_call>"


def described(name: str, *parameters: str) -> dict[str, Any]:
    texts = {p: {"type": "string"} for p in parameters}
    function = {"name": name, "description": f"{name}.", "parameters": texts, "required": list(parameters), "responses": {}}  # fmt: skip
    return {"sub_task": name, "func_list": [function]}


FUNCTION_PLAN = [described("find_visit", "patient"), described("move_visit", "visit", "day")]


def chat(prompt: str) -> str:
    if "Write the assistant's answer" in prompt:
        return json.dumps({"responses": [f"answer {n}" for n in range(6)]})
    return json.dumps({"category": "any", "turns": [f"{crc32(prompt.encode())} {n}" for n in range(6)]})


def solved(prompt: str) -> str:
    """The right solution, or a judge's praise of it."""
    if JUDGE in prompt:
        return '{"judgement_result": true}'
    row = next(r for r in rows_of(_examples.BENCH) if r["question"] in prompt)
    return f"{row['solution']}\nThe answer is {row['answer']}."


def judged(prompt: str) -> str:
    """A judge that looks for the reference in the answer."""
    reference, answer = (prompt.split(f"<{t}>\n")[1].split(f"\n</{t}>")[0] for t in ("reference", "answer"))
    return json.dumps({JUDGE: reference.lower() in answer.lower()})


def judged_with_question(prompt: str) -> str:
    assert any(f"<question>\n{r['question']}\n" in prompt for r in rows_of(_examples.BENCH_ANSWERS))
    return judged(prompt)


def knowing(prompt: str) -> str:
    """The right answer to any question of the unified benchmarks, in the form asked for."""
    if JUDGE in prompt:
        return judged(prompt)
    known = [r for path in set(EXAMPLES.values()) for r in rows_of(path) if "question" in r]
    row = next(r for r in known if f"<question>\n{r['question']}\n" in prompt)
    if "labels" in row:
        return json.dumps({"choices": ["ABCDE"[i] for i in row["labels"]]})
    if "label" in row:
        return "ABCDE"[row["label"]]
    return f"The answer is {row['targets'][-1] if 'targets' in row else row['golden_label']}."


def chemist(prompt: str) -> str:
    """The right structures, and one that nobody asked for."""
    row = next(r for r in rows_of(_examples.MONOMERS) if r["text"] in prompt)
    return json.dumps({"monomers": [*row["golden_label"], {"abbreviation": "DMF", "smiles": "CN(C)C=O"}]})


@dataclass
class Flow:
    """A pipeline with a script, and what must come of its example."""

    cls: type[PipelineABC]
    script: Any
    rows: int
    adds: list[str]
    calls: int
    settings: dict[str, Any] = field(default_factory=dict)
    statistics: dict[str, Any] = field(default_factory=dict)
    serving: Callable[..., ScriptedServing] = ScriptedServing

    @property
    def id(self) -> str:
        return "-".join([self.cls.__name__, *(str(v) for v in self.settings.values() if len(str(v)) < 20)])

    def make(self, cache: Path, llm: Any) -> Any:
        if self.cls in RULES:
            return self.cls(cache_path=str(cache), **self.settings)  # type: ignore[call-arg]
        more = {"embedding_serving": llm} if self.cls in EMBEDS else {}
        more |= {"other_serving": llm} if self.cls is ModelComparisonPipeline else {}
        return self.cls(llm_serving=llm, cache_path=str(cache), **more, **self.settings)  # type: ignore[call-arg]

    def llm(self) -> ScriptedServing:
        return self.serving(by=self.script)


def unified(eval_type: str, rows: int, calls: int, statistics: dict[str, Any], **more: Any) -> Flow:
    settings = {"eval_type": eval_type, **more.pop("settings", {})}
    return Flow(UnifiedBenchEvalPipeline, knowing, rows, ["generated_ans", *JUDGED], calls, settings, statistics, **more)  # fmt: skip


FLOWS = [
    Flow(
        Text2QA_APIPipeline,
        text2qa,
        10,
        ["generated_prompt", "generated_question", "generated_answer", *GRADES],
        calls=5 * (1 + 2) + 10 * 4,
    ),
    Flow(
        Text2MultiHopQA_APIPipeline,
        multi_hop,
        10,
        ["cleaned_chunk", "QA_pairs", "QA_metadata"],
        calls=20,
    ),
    Flow(
        PassageQAPipeline,
        passage_qa,
        10,
        ["passage", "question", "answer", "score"],
        calls=10 * 2,
        settings={"source": _examples.TEXTS},
    ),
    Flow(
        ModelComparisonPipeline,
        comparison,
        10,
        ["passage", "question", "answer", "reply_first", "reply_second", "preference", "chosen", "rejected"],
        calls=10 * 3,  # two equal answers are not judged
        settings={"source": _examples.TEXTS},
    ),
    Flow(
        TextSFTSynthesis_APIPipeline,
        text_sft,
        6,
        ["instruction", "output", "difficulty", "AlpagasusScore"],
        calls=3 + 8 * 4,
        settings={"num_samples": 8},
    ),
    Flow(
        PTTextSynthesis_APIPipeline,
        lambda prompt: f"Question: What is {len(prompt)}?\nAnswer: A number.",
        10,
        ["raw_content", "generated_content"],
        calls=10,
    ),
    Flow(
        FuncCall_APIPipeline,
        agents,
        5,
        [
            "scenario",
            "modified_scenario",
            "atom_task",
            "subsequent_task",
            "composition_task",
            "functions",
            "conversations",
            "score",
        ],
        calls=5 * (6 + 1 + 3 + 2 + 1),
    ),
    Flow(
        TextConversationSynthesis_APIPipeline,
        chat,
        18,
        ["category", "conversation"],
        calls=18 * 2,
        settings={"num_dialogs_per_intent": 2},
    ),
    Flow(
        Text2SQLGeneration_APIPipeline,
        Knowing([LIBRARY, HARBOUR]),
        8,
        ["SQL", "db_id", "sql_complexity_type", *ASKED, "cot_responses", "cot_reasoning", *GRADED],
        calls=60 + 8 * (3 + 1 + 3 + 10),
        settings={"generate_num": 30},
    ),
    Flow(
        Text2SQLRefine_APIPipeline,
        Knowing([LIBRARY | known("library"), HARBOUR | known("harbour")]),
        11,  # of sixteen good ones, five are the same but for an alias
        ["sql_variation_type", *ASKED[1:], "cot_responses", "cot_reasoning", *GRADED],
        calls=9 + 8 * 12 + 11 * (3 + 1 + 3 + 10),
        settings={"num_variations": 12},
    ),
    Flow(
        Text2VecSQLGeneration_APIPipeline,
        Knowing([FILMS]),
        2,
        ["SQL", "db_id", *ASKED, *GRADED],
        calls=12 + 2 * (5 + 10),
        settings={"generate_num": 12},
    ),
    Flow(PTTextFilter_CPUPipeline, "", 7, [], calls=0),
    Flow(SFTTextFilter_CPUPipeline, "", 4, [], calls=0),
    Flow(PromptedEvaluator_APIPipeline, SCORES, 8, ["eval_dim_1"], calls=8),
    Flow(PromptedFilter_APIPipeline, SCORES, 4, ["eval_dim_1"], calls=8),
    Flow(PromptedRefiner_APIPipeline, str.upper, 8, [], calls=8),
    Flow(FormatStrPrompted_APIPipeline, str.upper, 6, ["explanation"], calls=6),
    Flow(
        BenchEvalPipeline,
        solved,
        10,
        ["generated_cot", "answer_match_result"],
        calls=10,
        statistics={"accuracy": 1.0, "compare_method": "match"},
    ),
    Flow(
        BenchEvalSemanticPipeline,
        judged,
        12,
        ["answer_match_result"],
        calls=11,
        statistics={"accuracy": 6 / 12, "compare_method": "semantic"},
    ),
    Flow(
        BenchEvalSemanticQuestionPipeline,
        solved,
        10,
        ["generated_cot", "answer_match_result"],
        calls=20,
        statistics={"accuracy": 1.0},
    ),
    Flow(
        BenchEvalSemanticQuestionSingleStepPipeline,
        judged_with_question,
        12,
        ["answer_match_result"],
        calls=11,
        statistics={"accuracy": 6 / 12},
    ),
    Flow(
        ExtractSmiles,
        chemist,
        6,
        ["synth_smiles", "final_result", "block_score", "block_total", "block_accuracy", "block_extra"],
        calls=6,
    ),
    unified("key1_text_score", 10, 0, {"valid_samples": 0, "errors": {"ppl_unavailable": 10}}),
    unified("key1_text_score", 10, 0, {"valid_samples": 10}, serving=Measuring),
    unified("key2_qa", 12, 12, {"accuracy": 1.0, "metric": "math_verify"}),
    unified(
        "key2_qa",
        12,
        24,
        {"accuracy": 1.0, "metric": "semantic_judge"},
        settings={"use_semantic_judge": True},
    ),
    unified("key2_q_ma", 6, 6, {"accuracy": 1.0}),
    unified("key3_q_choices_a", 10, 10, {"accuracy": 1.0}),
    unified("key3_q_choices_a", 10, 0, {"valid_samples": 10}, serving=Measuring),
    unified("key3_q_choices_as", 8, 8, {"accuracy": 1.0, "micro_f1": 1.0}),
    unified("key3_q_a_rejected", 6, 0, {"valid_samples": 0, "errors": {"ll_unavailable": 6}}),
    unified("key3_q_a_rejected", 6, 0, {"valid_samples": 6}, serving=Measuring),
]


VECTORS = pytest.mark.skipif(
    not hasattr(sqlite3.Connection, "enable_load_extension"),
    reason="this Python's SQLite takes no extensions",
)


def marked(flow: Flow) -> Any:
    return pytest.param(
        flow, id=flow.id, marks=[VECTORS] if flow.cls is Text2VecSQLGeneration_APIPipeline else []
    )


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DF_API_KEY", raising=False)


def test_every_pipeline_has_its_flow() -> None:
    assert {f.cls for f in FLOWS} == set(PIPELINE_REGISTRY.get_obj_map().values())


def last_table(pipe: Any, steps: int) -> list[str]:
    return Path(pipe.storage.path_of(steps)).read_text("utf-8").splitlines()


@pytest.mark.parametrize("flow", [marked(f) for f in FLOWS])
def test_line_by_line_and_compiled_give_the_same_table(flow: Flow, tmp_path: Path) -> None:
    line_by_line, streamed = flow.llm(), flow.llm()
    eager, compiled = flow.make(tmp_path / "eager", line_by_line), flow.make(tmp_path / "compiled", streamed)
    eager.forward()
    plan = compiled.compile()
    assert not streamed.requests, "compiling asks nothing"
    done = compiled.run(progress=False)

    steps = len(plan.steps())
    assert last_table(eager, steps) == last_table(compiled, steps)
    assert (done.rows, done.counts["failed"]) == (flow.rows, 0)
    assert len(line_by_line.requests) == len(streamed.requests) == flow.calls
    given = list(rows_of(compiled.storage.path_of(0))[0]) if compiled.storage.first_entry_file_name else []
    assert done.table.columns == [*given, *flow.adds]
    assert compiled.final_keys == done.table.columns
    for cache in (tmp_path / "eager", tmp_path / "compiled") if flow.statistics else ():
        (written,) = json.loads(next(cache.glob("*_statistics.json")).read_text("utf-8"))
        assert {k: written[k] for k in flow.statistics} == flow.statistics


def test_multi_hop_questions_line_by_line(tmp_path: Path) -> None:
    """What the compiled run of this pipeline must also give, once it compiles."""
    flow = next(f for f in FLOWS if f.cls is Text2MultiHopQA_APIPipeline)
    llm = flow.llm()
    pipe = flow.make(tmp_path, llm)
    pipe.forward()
    made = [json.loads(line) for line in last_table(pipe, 2)]
    assert (len(made), len(llm.requests)) == (flow.rows, flow.calls)
    assert list(made[0]) == ["text", *flow.adds]
    assert made[0]["QA_pairs"][0]["reasoning_steps"] == [{"step": "first"}, {"step": "second"}]


@pytest.mark.parametrize("flow", [marked(f) for f in FLOWS])
def test_it_plans_with_the_servings_it_makes_itself(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DF_API_KEY", "a key")
    assert flow.cls.__name__ in str(flow.cls(**flow.settings).plan())


@pytest.mark.parametrize(
    "flow",
    [marked(f) for f in FLOWS if f.cls not in LOCAL and f.calls],
)
def test_without_a_key_the_key_is_the_only_mistake(flow: Flow) -> None:
    with pytest.raises(CompileError) as caught:
        flow.cls(**flow.settings).plan()
    assert all("DF_API_KEY" in m.message for m in caught.value.mistakes)


def test_by_name_from_the_shell_over_http_with_faults() -> None:
    faults = Faults(drop=0.2, status_500=0.2, malformed=0.1, first_attempts=2)
    with FaultyServer(reply="4", faults=faults, seed=3) as server:
        settings = [f"llm_serving.api_url={server.url}", "llm_serving.model_name=small", "min_score=4"]
        pipe = load.pipeline("PromptedFilter_APIPipeline", settings=settings)
        done = pipe.run(progress=False)
    assert done.table["eval_dim_1"].to_list() == [4] * 8
    assert sum(server.faulted.values()) > 0
    assert server.repeated == sum(server.faulted.values())


def test_the_judge_may_be_another_model(tmp_path: Path) -> None:
    tested, judge = ScriptedServing(by=solved), ScriptedServing(f'{{"{JUDGE}": false}}')
    BenchEvalSemanticQuestionPipeline(tested, judge, cache_path=str(tmp_path)).run(progress=False)
    assert (len(tested.requests), len(judge.requests)) == (10, 10)


def test_a_judged_benchmark_pays_for_no_answer_twice(tmp_path: Path) -> None:
    with FaultyServer(reply='The answer is 4. {"judgement_result": true}') as server:
        llm = APILLMServing(api_url=server.url, model_name="small")
        UnifiedBenchEvalPipeline(llm, cache_path=str(tmp_path)).run(progress=False)
        assert server.calls == 12
        UnifiedBenchEvalPipeline(llm, use_semantic_judge=True, cache_path=str(tmp_path)).run(progress=False)
        assert server.calls == 24
    assert {p.name for p in tmp_path.glob("*_statistics.json")} == {
        "unified_bench_key2_qa_statistics.json",
        "unified_bench_key2_qa_semantic_statistics.json",
    }


def test_the_texts_asked_about_are_those_that_cover_the_rest(tmp_path: Path) -> None:
    llm = ScriptedServing(by=text2qa)
    done = Text2QA_APIPipeline(llm, llm, num_samples=2, question_num=1, cache_path=str(tmp_path)).run(progress=False)  # fmt: skip
    assert (done.rows, done.table["text"].n_unique(), done.counts["dropped"]) == (2, 2, 8)
    assert done.table["question_quality_grades"].dtype == pl.Float64


def test_an_unknown_type_is_a_mistake_of_configuration() -> None:
    with pytest.raises(ConfigError, match="key2_qa"):
        UnifiedBenchEvalPipeline(ScriptedServing("x"), eval_type="key9")  # type: ignore[arg-type]


def test_columns_and_examples_are_there_for_every_type() -> None:
    for eval_type, path in EXAMPLES.items():
        assert set(COLUMNS[eval_type].values()) <= set(rows_of(path)[0])
