"""The faults that the generators and selectors of core_text must not have."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from core_text_cases import PASSAGE, Slow, Vectors, graded, hop, qa_server

from dataflow.core.errors import BindError, ConfigError
from dataflow.core.frames import records
from dataflow.core.prompt import DIYPromptABC
from dataflow.core.protocols import Request
from dataflow.operators.core_text.chunked import ChunkedPromptedGenerator
from dataflow.operators.core_text.format_str import FormatStrPromptedGenerator
from dataflow.operators.core_text.k_center import KCenterGreedyFilter
from dataflow.operators.core_text.multi_hop import Text2MultiHopQAGenerator, complexity, windows
from dataflow.operators.core_text.random_domain import RandomDomainKnowledgeRowGenerator
from dataflow.operators.core_text.retrieval import RetrievalGenerator
from dataflow.operators.core_text.text2qa import Text2QAGenerator, Text2QASampleEvaluator, parse_instructions
from dataflow.prompts.core_text import FormatStrPrompt
from dataflow.testing import ScriptedServing, Table, run_rows

Rows = list[dict[str, Any]]
LLM = ScriptedServing("3")


class Shout(DIYPromptABC):
    def build_prompt(self, **fields: Any) -> str:
        return f"{fields.get('input_text') or fields.get('question')}!"


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
        ("Here they are:\n- Ask a.\n* Ask b. \n", ["Ask a.", "Ask b."]),
        ("1. Ask a.\n2) Ask b.", ["Ask a.", "Ask b."]),
        ('- see:\n["a"]', ["a"]),
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
    assert list(op.check(op.bind())) == [
        ("embedding_serving", " is needed, or a column of vectors as input_embedding_key")
    ]
    with pytest.raises(ConfigError, match="needs embedding_serving"):
        run_rows(op, [{"content": "a"}])


def test_centres_of_a_column_of_vectors_are_those_of_the_model() -> None:
    texts = [f"{i},{(i * 7) % 11}" for i in range(40)]
    rows: Rows = [{"content": t, "v": [float(x) for x in t.split(",")]} for t in texts]
    op = KCenterGreedyFilter(7, seed=3)
    binding = op.bind(input_embedding_key="v")
    assert not list(op.check(binding))
    asked = run_rows(KCenterGreedyFilter(7, Vectors(), seed=3), rows).frame["content"].to_list()
    assert run_rows(op, rows, input_embedding_key="v").frame["content"].to_list() == asked
    frame = pl.DataFrame(rows)
    for size in (1, 9):
        assert [texts[i] for i in op.decide(frame.iter_slices(size), binding).rows or []] == asked
    with pytest.raises(ConfigError, match="differ in length"):
        run_rows(op, [*rows, {"content": "x", "v": [1.0]}], input_embedding_key="v")


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
