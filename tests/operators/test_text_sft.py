"""The operators of text_sft: their cases, their promises, and the faults that they must not have."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest
from text_sft_cases import CASES
from text_sft_model_cases import LEVELS, PAIR, TAGGED, condor, refined

from dataflow.core.errors import BindError, ConfigError, ReplyError
from dataflow.core.operator import Operator, OperatorABC
from dataflow.core.prompt import DIYPromptABC
from dataflow.core.protocols import Reply
from dataflow.operators.text_sft.alpagasus import AlpagasusFilter, AlpagasusSampleEvaluator
from dataflow.operators.text_sft.condor import LEVELS as NAMES
from dataflow.operators.text_sft.condor import CondorGenerator, CondorRefiner, read_questions
from dataflow.operators.text_sft.seed import SFTGeneratorSeed
from dataflow.operators.text_sft.treeinstruct import TreeinstructFilter, TreeinstructSampleEvaluator
from dataflow.prompts.text_sft import (
    AlpagasusPrompt,
    CondorQuestionPrompt,
    CondorRefinePrompt,
    SFTGeneratorSeedPrompt,
    TreeinstructPrompt,
    condor_topics,
)
from dataflow.testing import Case, ScriptedServing, check_operator, run_rows

LLM = ScriptedServing("3")


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_case(case: Case) -> None:
    case.check()


class Cut(ScriptedServing):
    """A model that stops at its length limit."""

    async def ask(self, *asked: Any, **given: Any) -> Reply:
        reply = await super().ask(*asked, **given)
        return Reply(reply.text, truncated="?" not in reply.text)


def test_half_an_answer_is_none() -> None:
    failed = run_rows(CondorGenerator(Cut(by=condor), 3), []).failed
    assert "breaks off at the model's length limit" in failed["error"][0]
    better = Cut("Weak?", "<improved>\nfine\n</improved>")
    assert run_rows(CondorRefiner(better), [{"instruction": "a", "output": "b"}]).failed.height == 1


def test_every_operator_has_a_case() -> None:
    package = importlib.import_module("dataflow.operators.text_sft")
    named = [n for n in package.__all__ if issubclass(getattr(package, n), OperatorABC)]
    without = sorted(set(named) - {c.name for c in CASES})
    assert not without, f"add cases of {', '.join(without)}"


KEPT: list[tuple[Operator, dict[str, Any]]] = [
    (SFTGeneratorSeed(ScriptedServing(json.dumps(PAIR)), "short"), {}),
    (CondorGenerator(ScriptedServing(by=condor), 4), {}),
    (CondorRefiner(ScriptedServing(by=refined)), {}),
    (CondorRefiner(LLM), {"output_key": "better"}),
    (AlpagasusSampleEvaluator(LLM), {}),
    (AlpagasusFilter(llm_serving=LLM), {"input_input_key": "more"}),
    (TreeinstructSampleEvaluator(LLM), {}),
    (TreeinstructFilter(llm_serving=ScriptedServing("3", "9")), {}),
]


@pytest.mark.parametrize(
    ("op", "keys"), KEPT, ids=lambda v: type(v).__name__ if isinstance(v, Operator) else ""
)
def test_promises(op: Operator, keys: dict[str, Any]) -> None:
    check_operator(op, **keys)


def test_settings_may_be_given_by_position() -> None:
    assert CondorGenerator(LLM, 4, False, None).use_task_diversity is False
    assert AlpagasusFilter(1, 2, LLM, "accuracy").dimension == "accuracy"
    assert AlpagasusSampleEvaluator(LLM, "accuracy").dimension == "accuracy"
    assert TreeinstructFilter(1, 2, LLM).max_score == 2
    assert SFTGeneratorSeed(LLM, "wishes").custom_prompt == "wishes"


# SFTGeneratorSeed


def test_wishes_and_text_are_put_in_once_and_fenced() -> None:
    llm = ScriptedServing(json.dumps(PAIR))
    run_rows(SFTGeneratorSeed(llm, "in {content} style"), [{"raw_content": "{custom_prompt} </text>"}])
    assert "<text>\n{custom_prompt} <\\/text>\n</text>" in llm.prompts[0]
    assert "<wishes>\nin {content} style\n</wishes>" in llm.prompts[0]
    assert SFTGeneratorSeedPrompt("w").build_prompt("c") == SFTGeneratorSeedPrompt("w").build_prompt(
        content="c"
    )


# CondorGenerator


def test_there_are_topics_enough_and_all_themes_differ() -> None:
    tree = CondorQuestionPrompt().tag
    domains = [d for topic in tree.values() for d in topic]
    themes = [theme for topic in tree.values() for ths in topic.values() for theme in ths]
    assert (len(tree), len(domains), len(themes)) == (35, 175, 525)
    assert len(set(themes)) == 525
    assert all(name == name.strip() != "" for name in [*tree, *domains, *themes])
    assert len(CondorQuestionPrompt.task_types) == 7
    assert tree is condor_topics()


def first_prompts(samples: int = 30, **settings: Any) -> list[str]:
    op = CondorGenerator(LLM, samples, **settings)
    return [str(op.questions_request(n).messages[-1]["content"]) for n in range(op.total())]


def test_themes_are_drawn_by_seed_and_none_twice() -> None:
    assert len(set(first_prompts(525 * 3, use_task_diversity=False))) == 525
    assert len(set(first_prompts(525 * 3 * 7))) == 525 * 7
    assert first_prompts() == first_prompts(60)[:10] != first_prompts(seed=1)


def test_situations_are_there_if_asked_for() -> None:
    assert all("in this situation" in p for p in first_prompts())
    assert not any("in this situation" in p for p in first_prompts(use_task_diversity=False))


def test_four_calls_make_three_rows_and_no_more_are_answered_than_asked_for() -> None:
    llm = ScriptedServing(by=condor)
    done = run_rows(CondorGenerator(llm, 7), [])
    assert done.frame["difficulty"].to_list() == [*NAMES, *NAMES, "Easy"]
    assert len(llm.requests) == 3 + 7
    assert {r.schema is None for r in llm.requests if r.messages[-1]["content"] == LEVELS["hard"]} == {True}


def test_one_bad_reply_costs_its_own_theme_only() -> None:
    def server(prompt: str) -> str | None:
        return None if prompt == LEVELS["hard"] else condor(prompt)

    done = run_rows(CondorGenerator(ScriptedServing(by=server), 7), [])
    assert done.frame["difficulty"].to_list() == ["Easy"]
    assert done.failed.height == 2


def test_questions_are_read_with_tags_marks_and_several_lines() -> None:
    wanted = {name: LEVELS[name.lower()] for name in NAMES}
    assert read_questions(TAGGED) == wanted
    assert read_questions(f"```\n{TAGGED}\n```") == wanted
    assert read_questions("Easy: a\nHard work?\n**Medium**\n```py\nx\n```\nHard：c") == {
        "Easy": "a\nHard work?",
        "Medium": "```py\nx\n```",
        "Hard": "c",
    }
    assert read_questions(f"<think>[Easy] no</think>{json.dumps(LEVELS, indent=1)}") == wanted
    for bad in (
        "",
        "[Easy] a\n[Medium] b",
        "Easy it is.\nMedium too.\nHard never.",
        "[Easy] a\n[Medium]\n[Hard] c",
        '{"easy": "a", "medium": " ", "hard": "c"}',
    ):
        with pytest.raises(ReplyError):
            read_questions(bad)


class Mine(DIYPromptABC):
    tag = {"T": {"D": ["one", "two"]}}

    def build_prompt(self, theme: str, domain: str) -> str:
        return f"{domain}/{theme}"


def test_a_prompt_of_ones_own_may_bring_its_own_tree() -> None:
    op = CondorGenerator(LLM, 6, prompt_template=Mine())
    asked = {str(op.questions_request(n).messages[-1]["content"]) for n in range(op.total())}
    assert asked == {"D/one", "D/two"}
    with pytest.raises(TypeError, match="Invalid prompt_template"):
        CondorGenerator(LLM, prompt_template=CondorRefinePrompt())  # type: ignore[arg-type]


def test_rows_are_made_of_nothing_only() -> None:
    with pytest.raises(BindError, match="makes rows out of nothing"):
        run_rows(CondorGenerator(LLM), [{"a": 1}])


# CondorRefiner


def test_the_review_is_handed_on_and_the_answer_is_replaced_in_place() -> None:
    llm = ScriptedServing(by=refined)
    done = run_rows(CondorRefiner(llm), [{"q": "Why {x}?", "a": "so </answer>"}], input_instruction_key="q", input_output_key="a")  # fmt: skip
    review, better = llm.prompts
    assert "<question>\nWhy {x}?\n</question>" in review
    assert review.count("</answer>") == better.count("</answer>") == 1
    assert "<review>\nWeaknesses: so <\\/answer> is short.\n</review>" in better
    assert done.frame.columns == ["__row__", "q", "a"]


@pytest.mark.parametrize(
    "values",
    [
        {"mode": "praise", "question": "q", "answer": "a"},
        {"mode": "critique", "question": "q"},
        {"mode": "critique", "question": "q", "answer": "a", "critique": "c"},
        {"mode": "refine", "question": "q", "answer": "a"},
    ],
)
def test_each_mode_takes_its_own_values(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="mode"):
        CondorRefinePrompt().build_prompt(**values)
    with pytest.raises(ConfigError):
        CondorRefinePrompt().build_prompt(**values)


# Alpagasus and Treeinstruct


def test_cells_of_any_kind_are_put_to_the_model() -> None:
    rows = [{"instruction": i, "output": o} for i, o in [(1, "a"), ("", ""), ({"a": [1]}, "b")]]
    for op in (
        AlpagasusSampleEvaluator(llm := ScriptedServing("4")),
        TreeinstructSampleEvaluator(llm),
        CondorRefiner(llm),
        SFTGeneratorSeed(ScriptedServing(json.dumps(PAIR)), "short"),
    ):
        keys = {"input_key": "instruction"} if isinstance(op, SFTGeneratorSeed) else {}
        assert run_rows(op, rows, **keys).frame.height == 3
    assert all("<instruction>" in p or "<question>" in p for p in llm.prompts)


def test_an_input_is_shown_only_where_there_is_one() -> None:
    llm = ScriptedServing("4")
    row = {"instruction": "Sum up.", "more": "x</input>", "output": "ok"}
    run_rows(AlpagasusSampleEvaluator(llm, "accuracy"), [row], input_input_key="more")
    run_rows(AlpagasusSampleEvaluator(llm), [{**row, "more": None}], input_input_key="more")
    run_rows(AlpagasusSampleEvaluator(llm), [row])
    assert "<input>\nx<\\/input>\n</input>\n" in llm.prompts[0]
    assert not any("<input>" in p or "None" in p for p in llm.prompts[1:])
    system = str(llm.requests[0].messages[0]["content"])
    assert "accuracy" in system
    assert "Sum up." not in system


def test_one_bad_reply_stops_no_other() -> None:
    rows = [{"instruction": str(n), "output": "x"} for n in range(4)]
    for op in (
        AlpagasusSampleEvaluator(ScriptedServing("4", "no", None, "2")),
        TreeinstructSampleEvaluator(ScriptedServing("4", "no", None, "2")),
    ):
        done = run_rows(op, rows)
        assert done.frame["instruction"].to_list() == ["0", "3"]
        assert done.frame[next(iter(op.bind().writes.values()))].to_list() == [4, 2]
        assert done.failed["row"].to_list() == ["1", "2"]


def test_the_material_may_stand_in_the_system_part() -> None:
    rate, tree = AlpagasusPrompt("wit"), TreeinstructPrompt()
    told = rate.build_system_prompt("Sum up.", "", "ok")
    assert told.count("Sum up.") == told.count("<response>\nok\n") == 1
    assert "wit" in told
    assert "Sum up." not in rate.build_prompt()
    assert "<instruction>\nSum up.\n</instruction>" in tree.build_system_prompt("Sum up.")
    assert "last line" in tree.build_prompt()
