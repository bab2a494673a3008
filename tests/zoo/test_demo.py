"""The demo, with an endpoint of one's own: what it leaves, what it says, and that a second run asks nothing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from dataflow.testing.server import FaultyServer
from dataflow.zoo import demo


def reply(body: dict[str, Any]) -> str:
    """A question about the passage for the generator, a 5 for the judge."""
    asked = body["messages"][-1]["content"]
    passage = asked.partition("<passage>")[2].partition("</passage>")[0].strip()
    if "<answer>" in asked:
        return "5"
    return json.dumps({"question": f"What is said of {passage[:30]}?", "answer": passage[:60]})


def run_demo(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> list[str]:
    monkeypatch.setattr(sys, "argv", ["demo", *words])
    demo.main()
    return capsys.readouterr().out.splitlines()


@pytest.mark.model
def test_your_own_text_and_endpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = tmp_path / "tides.md"
    text.write_text("The tide rises twice a day. " * 30 + "\n\n" + "The moon draws the sea towards it. " * 30)
    with FaultyServer(reply=reply) as server:
        words = ("--source", str(text), "--api-url", server.base_url, "--model", "toy", "--out", "made")
        said = run_demo(capsys, monkeypatch, *words)
        calls = server.calls
        again = run_demo(capsys, monkeypatch, *words)
        assert server.calls == calls > 0
    assert len(said) == len(again) == 6
    rows = [json.loads(line) for line in Path("made/out.jsonl").read_text().splitlines()]
    assert rows
    assert set(rows[0]) == {"title", "passage", "question", "answer", "score"}
    assert f"{len(rows)} questions and answers remain" in said[1]
    assert "That took 0 model calls" in again[2]
    assert "<svg" in Path("made/report.html").read_text()


def test_a_text_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["demo", "--source", "nowhere.txt"])
    with pytest.raises(SystemExit, match=r"The demo stopped: nowhere.txt cannot be read"):
        demo.main()
