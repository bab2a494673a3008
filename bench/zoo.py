"""The text pipelines on their examples with the model that comes with the package, half a billion parameters on this machine: whether each
runs to its end without a key, what it takes, and what it loses where such a model is too weak. Rows that cannot be read, repeat themselves
or do not hold fail or are dropped with a reason; for data to train on take a larger model.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LIMIT_S = 600
SHOWN, LENGTH = 3, 80
TEXTS = Path(__file__).parents[1] / "dataflow" / "zoo" / "data" / "texts.jsonl"
LOCAL = "--set llm_serving=local"
RUNS = (
    "PTTextFilter_CPUPipeline",
    "SFTTextFilter_CPUPipeline",
    f"PTTextSynthesis_APIPipeline {LOCAL}",
    f"TextSFTSynthesis_APIPipeline {LOCAL} --set num_samples=6 --set llm_serving.temperature=0.7",
    f"TextConversationSynthesis_APIPipeline {LOCAL} --set num_dialogs_per_intent=1 --set num_turns_per_dialog=3 --set llm_serving.temperature=0.7",
    f"FuncCall_APIPipeline {LOCAL}",
    f"Text2QA_APIPipeline {LOCAL} --set num_samples=3 --set question_num=2",
    f"Text2MultiHopQA_APIPipeline {LOCAL} -n 3 --set llm_serving.temperature=0.7",
    f"PassageQAPipeline --source {TEXTS} --set passages=2",
    f"ModelComparisonPipeline --source {TEXTS} --set passages=2",
    f"ExtractSmiles {LOCAL}",
    f"PromptedEvaluator_APIPipeline {LOCAL}",
    f"PromptedFilter_APIPipeline {LOCAL}",
    f"PromptedRefiner_APIPipeline {LOCAL}",
    f"FormatStrPrompted_APIPipeline {LOCAL}",
    f"BenchEvalPipeline {LOCAL}",
    f"BenchEvalSemanticPipeline {LOCAL}",
    f"BenchEvalSemanticQuestionPipeline {LOCAL}",
    f"BenchEvalSemanticQuestionSingleStepPipeline {LOCAL}",
    f"UnifiedBenchEvalPipeline {LOCAL}",
)


def measure(kept_in: str | None = None) -> Iterator[str]:
    """A line for each pipeline; the runs stay in a folder that is named."""
    with tempfile.TemporaryDirectory() as scratch:
        for given in RUNS:
            folder = Path(kept_in or scratch, given.split()[0])
            folder.mkdir(parents=True)
            yield f"`{given.replace(f'{TEXTS}', 'texts.jsonl')}`: {_run(given, folder)}"


def _run(given: str, folder: Path) -> str:
    command = [sys.executable, "-m", "dataflow", "run", *shlex.split(given), "--quiet"]
    started = time.monotonic()
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            cwd=folder,
            env=_environment(),
        )
    except subprocess.TimeoutExpired:
        return f"stopped after {LIMIT_S} s"
    seconds = time.monotonic() - started
    records = [*folder.rglob("run.json"), *folder.rglob("preview.json")]
    if done.returncode or not records:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        return f"ended with {done.returncode} after {seconds:.0f} s: {''.join(last)}"
    return _told(json.loads(records[0].read_bytes()), seconds)


def _environment() -> dict[str, str]:
    root = str(Path(__file__).parents[1])
    return {k: v for k, v in os.environ.items() if k != "OPENAI_API_KEY"} | {"PYTHONPATH": root}


def _told(summary: dict[str, Any], seconds: float) -> str:
    steps = summary["steps"]
    calls, failed = sum(s["calls"] for s in steps), sum(s["failed"] for s in steps)
    reasons: Counter[str] = Counter()
    for step in steps:
        for reason, rows in [*step["dropped"].items(), *((e["error"], e["count"]) for e in step["errors"])]:
            reasons[reason[:LENGTH]] += rows
    told = "; ".join(f"{n} {reason}" for reason, n in reasons.most_common(SHOWN))
    rows = f"{steps[0]['rows_in']} rows in, {steps[-1]['rows_out']} out, {failed} failed"
    return f"{rows}; {calls} calls, {seconds:.0f} s" + (f" ({told})" if told else "")


if __name__ == "__main__":
    for line in measure(*sys.argv[1:]):
        print(line, flush=True)
