"""`make demo`: instruction data from a real book, with a real model on this machine."""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
from importlib import resources
from pathlib import Path

from dataflow.core.errors import DataFlowError
from dataflow.runtime.runs import Run
from dataflow.serving import APILLMServing
from dataflow.zoo.passage_qa import PassageQAPipeline

DEFAULT_PASSAGES = 2


def main() -> None:
    """Run the demo; its six closing lines say what happened and what to try next."""
    given = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("dataflow").setLevel(logging.INFO if not sys.stderr.isatty() else logging.WARNING)
    folder = Path(given.out)
    try:
        run = _pipeline(given, folder).run()
    except DataFlowError as error:
        sys.exit(f"The demo stopped: {error}")
    print(_closing(run, _collect(run, folder), folder))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make demo", description="Prepare questions and answers from texts."
    )
    parser.add_argument(
        "--source",
        help="your own texts: a JSONL, CSV or Parquet file with a column text, or one .txt or .md file",
    )
    parser.add_argument(
        "--api-url",
        help="your own endpoint (any that speaks OpenAI's protocol); its key is read from DF_API_KEY",
    )
    parser.add_argument("--model", default="gpt-4o-mini", help="the model at that endpoint")
    parser.add_argument(
        "--passages",
        type=int,
        help="passages taken of each text; all of your own, 2 of each chapter of the book",
    )
    parser.add_argument("--out", default="demo", help="the folder for the result")
    return parser.parse_args()


def _pipeline(given: argparse.Namespace, folder: Path) -> PassageQAPipeline:
    folder.mkdir(parents=True, exist_ok=True)
    serving = (
        APILLMServing(api_url=given.api_url, model_name=given.model, max_workers=32)
        if given.api_url
        else None
    )
    passages = given.passages or (None if given.source else DEFAULT_PASSAGES)
    return PassageQAPipeline(
        _source(given.source, folder), serving, passages=passages, cache_path=str(folder / "cache")
    )


def _source(name: str | None, folder: Path) -> str:
    """The file of texts; a plain text file becomes a table of one row."""
    if name is None:
        return str(resources.files("dataflow.zoo") / "data" / "whales.jsonl")
    if Path(name).suffix.lower() not in (".txt", ".md"):
        return name
    table = folder / "source.jsonl"
    try:
        text = Path(name).read_text(encoding="utf-8")
    except OSError as error:
        raise DataFlowError(f"{name} cannot be read: {error.strerror}") from error
    table.write_text(
        json.dumps({"title": Path(name).stem, "text": text}, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return str(table)


def _collect(run: Run, folder: Path) -> Path:
    """The result and its report where a person looks for them; the whole text of a row is left out."""
    result = folder / "out.jsonl"
    run.table.drop("text", strict=False).write_ndjson(result)
    shutil.copyfile(run.report, folder / "report.html")
    return result


def _closing(run: Run, result: Path, folder: Path) -> str:
    steps = {s["operator"]: s for s in run.summary["steps"]}
    passages, kept = steps["PassageSplitter"]["rows_out"], run.rows
    lost = {name: sum(s["dropped"].values()) for name, s in steps.items()}
    vague = lost["SelfContainedQuestionFilter"] + lost["AnswerOverlapFilter"]
    poor, same = lost["ScoreFilter"], lost["EmbeddingDeduplicateFilter"]
    failed, counts = run.counts["failed"], run.counts
    tokens = counts["prompt_tokens"] + counts["completion_tokens"]
    return "\n".join(
        [
            f"1. {run.summary['source']['rows']} texts were cut into {passages} passages; a model asked one question about each, and judged what the rules let through.",
            f"2. {vague} broke a rule, {poor} scored too low, {same} repeated others, {failed} failed: {kept} questions and answers remain.",
            f"3. That took {counts['calls']} model calls ({counts['cached']} replies came from the journal), {tokens:,} tokens and {run.summary['seconds']:.0f} s; {run.summary['journal']['calls']} replies are kept so far. Run it again: nothing is asked twice.",
            f"4. Read the result in {result}, and how it came about in {folder / 'report.html'} (open it in a browser).",
            '5. Your own texts: make demo ARGS="--source texts.jsonl"   Your own endpoint: make demo ARGS="--api-url https://…/v1" (key in DF_API_KEY)',
            f"6. Look closer: {_command()} trace {run.run_dir} 0   Change it: dataflow/zoo/passage_qa.py   All operators: {_command()} ops",
        ]
    )


def _command() -> str:
    """The `dataflow` command as it can be typed here."""
    beside = Path(sys.executable).with_name("dataflow")
    if shutil.which("dataflow") or not beside.exists():
        return "dataflow"
    return str(beside.relative_to(Path.cwd()) if beside.is_relative_to(Path.cwd()) else beside)


if __name__ == "__main__":
    main()
