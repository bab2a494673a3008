"""The operators of core_vision: their cases, their promises, and what they ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from core_vision_cases import CASES

from dataflow.operators.core_vision.vqa import PromptedVQAGenerator
from dataflow.serving import APIVLMServing_openai
from dataflow.testing import Case, FaultyServer, ScriptedServing, check_operator
from dataflow.testing.cases import run_rows


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_case(case: Case) -> None:
    case.check()


def test_promises() -> None:
    check_operator(PromptedVQAGenerator(ScriptedServing("so")))
    check_operator(PromptedVQAGenerator(ScriptedServing("so"), "Be brief."), input_question_key="q")


def asked(op_keys: dict[str, str], row: dict[str, Any]) -> Any:
    serving = ScriptedServing("so")
    run_rows(PromptedVQAGenerator(serving, "Describe it."), [row], **op_keys)
    return serving.requests[0].messages


def test_the_question_comes_after_the_picture() -> None:
    (turn,) = asked({}, {"raw_content": " a.png "})
    assert turn["content"] == [
        {"type": "image_url", "image_url": {"url": "a.png"}},
        {"type": "text", "text": "Describe it."},
    ]


def test_a_question_of_its_own_leaves_the_system_prompt_to_the_system() -> None:
    system, turn = asked({"input_question_key": "q"}, {"raw_content": "a.png", "q": "What is it?"})
    assert system == {"role": "system", "content": "Describe it."}
    assert turn["content"][1] == {"type": "text", "text": "What is it?"}


class Lists:
    """A serving that only answers lists of paths."""

    def generate_from_input(
        self, user_inputs: list[str], system_prompt: str = "", json_schema: dict[str, Any] | None = None
    ) -> list[str | None]:
        return [f"{system_prompt} {path}" for path in user_inputs]


def test_a_serving_that_answers_lists_gets_the_paths() -> None:
    done = run_rows(
        PromptedVQAGenerator(Lists(), "See"), [{"raw_content": p} for p in ("a.png", None, "b.png")]
    )
    assert done.frame["generated_content"].to_list() == ["See a.png", None, "See b.png"]


def test_pictures_are_sent_and_one_that_is_none_fails_its_row_alone(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 32)
    (tmp_path / "b.png").write_text("a secret", "utf-8")
    rows = [{"raw_content": str(tmp_path / n)} for n in ("a.png", "b.png", "c.png")] + [{"raw_content": ""}]
    with FaultyServer(reply="A square.") as server:
        serving = APIVLMServing_openai(server.url, model_name="sees")
        done = run_rows(PromptedVQAGenerator(serving), rows)
        sent = server.calls
    assert done.frame["generated_content"].to_list() == ["A square."]
    assert (sent, done.failed.height) == (1, 3)
