"""`dataflow ops`, `op`, `prompts`."""

from __future__ import annotations

import json

from dataflow.core.registry import OPERATOR_REGISTRY, PROMPT_REGISTRY
from tests.cli.conftest import Cli


def test_ops_lists_every_operator(cli: Cli) -> None:
    said = cli("ops")
    names = [line.split()[0] for line in said.out.splitlines()[1:]]
    assert (said.code, names) == (0, OPERATOR_REGISTRY.keys())
    assert said.err == f"{len(names)} of {len(names)} operators. `dataflow op NAME` describes one.\n"


def test_ops_as_json(cli: Cli) -> None:
    listed = {e["name"]: e for e in json.loads(cli("ops", "--json").out)}
    assert listed["PromptedFilter"] == {
        "name": "PromptedFilter",
        "module": "dataflow.operators.core_text.prompted",
        "kind": "Judge",
        "domain": "core_text",
        "headline": "Keep the texts that a model scores within a range: one call a row.",
        "reads": ["input_key"],
        "writes": ["output_key"],
        "needs": ["llm"],
        "package": "dataflow-llm",
    }


def test_ops_narrows_by_words_domain_kind_and_needs(cli: Cli) -> None:
    def names(*args: str) -> set[str]:
        return {e["name"] for e in json.loads(cli("ops", "--json", *args).out)}

    assert "PromptedFilter" in names("score", "model", "-d", "core_text", "-k", "Judge", "--needs", "llm")
    assert "PromptedGenerator" not in names("--kind", "Judge")
    assert "PromptedFilter" not in names("--needs", "none")
    assert names("no such words") == set()


def test_a_domain_that_is_not_there_is_wrong_usage(cli: Cli) -> None:
    said = cli("ops", "--domain", "core_texts")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("dataflow: no domain 'core_texts'; there are ")
    assert said.err.endswith("Did you mean 'core_text'?\n")


def test_op_describes(cli: Cli) -> None:
    said = cli("op", "PromptedFilter")
    assert said.code == 0
    assert "from dataflow.operators.core_text import PromptedFilter" in said.out
    assert "- min_score: int = 1 [≥ 1, ≤ 5]: Lowest score kept." in said.out


def test_op_as_json(cli: Cli) -> None:
    described = json.loads(cli("op", "PromptedFilter", "--json").out)
    assert (described["function"], described["reads"][0]["default"]) == ("Filter", "raw_content")


def test_an_unknown_operator_is_wrong_usage(cli: Cli) -> None:
    said = cli("op", "PromptedFilters")
    assert (said.code, said.err) == (
        2,
        "dataflow: No object named 'PromptedFilters' among the operators. Did you mean 'PromptedFilter'?\n",
    )


def test_prompts(cli: Cli) -> None:
    assert {e["name"] for e in json.loads(cli("prompts", "--json").out)} == set(PROMPT_REGISTRY.keys())
    assert "QualityScorePrompt" in cli("prompts", "-d", "core_text").out


def test_one_prompt(cli: Cli) -> None:
    said = cli("prompts", "QualityScorePrompt")
    assert "template:\nThe text stands between the tags." in said.out
    assert json.loads(cli("prompts", "QualityScorePrompt", "--json").out)["system"].startswith(
        "You review texts"
    )
