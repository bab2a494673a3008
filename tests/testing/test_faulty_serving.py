"""A serving with a faulty server of its own: it answers in spite of faults, and leaves nothing running."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dataflow.core import Judge
from dataflow.pipeline import PipelineABC
from dataflow.plan.fingerprint import plain
from dataflow.storage import FileStorage
from dataflow.testing import Faults, FaultyServing

PROMPTS = [f"question {i}" for i in range(200)]
WEATHER = Faults(
    status_429=0.1, status_500=0.1, truncated=0.05, malformed=0.05, drop=0.05, empty=0.05, hang=0.01,
    hang_s=0.2, retry_after_s=0.01, first_attempts=3,
)  # fmt: skip


def servers() -> int:
    return sum(t.name == "faulty-server" for t in threading.enumerate())


@pytest.fixture(autouse=True)
def no_server_is_left() -> object:
    before = servers()
    yield
    gc.collect()
    assert servers() == before


class Grader(Judge):
    """Grade a text."""

    def request(self, text: str) -> str:
        return text


def test_it_answers_in_spite_of_all_faults() -> None:
    calm, stormy = FaultyServing(), FaultyServing(faults=WEATHER, max_workers=32)
    assert stormy.generate_from_input(PROMPTS) == calm.generate_from_input(PROMPTS)
    assert set(stormy.server.faulted) == {
        "status_429",
        "status_500",
        "truncated",
        "malformed",
        "drop",
        "empty",
        "hang",
    }
    assert stormy.server.answered >= len(PROMPTS)
    assert (calm.server.calls, calm.server.repeated) == (200, 0)


def test_a_call_that_fails_for_good_is_null() -> None:
    serving = FaultyServing("yes", Faults(status_400=0.3), fault_seed=1)
    replies = serving.generate_from_input(PROMPTS)
    assert set(replies) == {"yes", None}
    assert replies.count(None) == len(serving.errors) == serving.server.faulted["status_400"]
    assert replies != FaultyServing("yes", Faults(status_400=0.3), fault_seed=2).generate_from_input(PROMPTS)


def test_replies_may_be_a_function_and_settings_go_to_the_request() -> None:
    serving = FaultyServing(lambda body: f"{body['model']} {body['top_p']}", model_name="m", top_p=0.5)
    assert serving.generate_from_input(["a"]) == ["m 0.5"]


def test_it_embeds() -> None:
    vectors = FaultyServing(faults=WEATHER, dim=4).generate_embedding_from_input(["a", "b", "a"])
    assert [len(v or ()) for v in vectors] == [4, 4, 4]
    assert vectors[0] == vectors[2] != vectors[1]


def test_the_server_starts_at_the_first_call_and_stops_at_cleanup() -> None:
    serving, before = FaultyServing("yes"), servers()
    assert serving.check() is None
    assert servers() == before
    for calls in (1, 2):
        assert serving.generate_from_input(["a"]) == ["yes"]
        assert servers() == before + 1
        serving.cleanup()
        assert servers() == before
        assert serving.server.calls == calls


def test_a_copy_has_a_server_of_its_own() -> None:
    serving = FaultyServing(["x", "y", "z"], WEATHER)
    replies = serving.generate_from_input(PROMPTS[:20])
    copy = pickle.loads(pickle.dumps(serving))
    assert copy.server.calls == 0
    assert copy.generate_from_input(PROMPTS[:20]) == replies
    assert copy.server.url != serving.server.url


def test_equal_replies_have_equal_fingerprints_whatever_the_port() -> None:
    one, other = FaultyServing("yes"), FaultyServing("yes", WEATHER, 0.01)
    before = plain(one)
    one.generate_from_input(["a"])
    assert plain(one) == before == plain(other)
    assert plain(one) != plain(FaultyServing("no"))


def test_a_pipeline_runs_over_it(tmp_path: Path) -> None:
    class Grading(PipelineABC):
        def __init__(self) -> None:
            super().__init__()
            self.storage = FileStorage(str(tmp_path / "in.jsonl"), cache_path=str(tmp_path / "cache"))
            self.serving = FaultyServing("4", WEATHER, max_workers=8)
            self.grade = Grader(llm_serving=self.serving)

        def forward(self) -> None:
            self.grade.run(self.storage.step(), input_key="text", output_key="grade")

    (tmp_path / "in.jsonl").write_text("".join(f'{{"text": "row {i}"}}\n' for i in range(50)))
    pipeline = Grading()
    run = pipeline.run(progress=False)
    assert (run.rows, run.counts["failed"]) == (50, 0)
    assert pipeline.serving.server.answered >= 50


def test_importing_loads_no_server_and_running_one_warns_of_nothing() -> None:
    code = (
        "import sys, dataflow.testing; print([m for m in sys.modules if m.startswith('dataflow.testing.')])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
    command = [sys.executable, "-W", "error", "-m", "dataflow.testing.server"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("http://127.0.0.1:")
