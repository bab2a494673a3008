"""open-dataflow at the work of the corpus trial: runs inside its environment, and prints seconds and rows as JSON; the
ids of the documents it kept go to a file.

Its operators have the names of ours, and are run in the same order; each reads and writes the whole table.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import nltk

import dataflow

# a filter takes a path from beside its commands, which need torch
commands = ModuleType("dataflow.cli_funcs")
commands.__path__ = [str(Path(dataflow.__file__).with_name("cli_funcs"))]
sys.modules["dataflow.cli_funcs"] = commands
nltk.download = lambda *_, **__: False  # what it would fetch, no operator here uses
logging.disable(logging.CRITICAL)
from dataflow.operators import general_text as text  # noqa: E402
from dataflow.utils.storage import FileStorage  # noqa: E402


def chain() -> list[Any]:
    """Eight refiners and filters."""
    return [
        text.RemoveEmojiRefiner(),
        text.HtmlUrlRemoverRefiner(),
        text.HtmlEntityRefiner(),
        text.RemoveExtraSpacesRefiner(),
        text.WordNumberFilter(min_words=20, max_words=100_000),
        text.MeanWordLengthFilter(min_length=3, max_length=10),
        text.LoremIpsumFilter(threshold=3e-8),
        text.ColonEndFilter(),
    ]


def pretraining() -> list[Any]:
    """The 23 steps of the pre-training filter."""
    return [
        text.ContentNullFilter(),
        text.RemoveEmojiRefiner(),
        text.HtmlUrlRemoverRefiner(),
        text.LineWithJavascriptFilter(threshold=3),
        text.LineStartWithBulletpointFilter(threshold=0.9),
        text.LineEndWithEllipsisFilter(threshold=0.3),
        text.ColonEndFilter(),
        text.SentenceNumberFilter(min_sentences=3, max_sentences=7500),
        text.RemoveExtraSpacesRefiner(),
        text.WordNumberFilter(min_words=20, max_words=100_000),
        text.CharNumberFilter(threshold=100),
        text.MeanWordLengthFilter(min_length=3, max_length=10),
        text.SymbolWordRatioFilter(threshold=0.4),
        text.HtmlEntityFilter(),
        text.NoPuncFilter(threshold=112),
        text.SpecialCharacterFilter(),
        text.WatermarkFilter(watermarks=["Copyright", "Watermark", "Confidential"]),
        text.CurlyBracketFilter(threshold=0.025),
        text.CapitalWordsFilter(threshold=0.2, use_tokenizer=False),
        text.LoremIpsumFilter(threshold=3e-8),
        text.UniqueWordsFilter(threshold=0.1),
        text.BlocklistFilter(language="en", threshold=1),
        text.MinHashDeduplicateFilter(num_perm=128, threshold=0.9, use_n_gram=True, ngram=5),
    ]


def minhash() -> list[Any]:
    """Near duplicates."""
    return [text.MinHashDeduplicateFilter(num_perm=128, threshold=0.8, use_n_gram=True, ngram=5)]


def exact() -> list[Any]:
    """Exact duplicates."""
    return [text.HashDeduplicateFilter(hash_func="md5")]


WORK = {"exact": exact, "minhash": minhash, "chain": chain, "pretraining": pretraining}


if __name__ == "__main__":
    steps = WORK[sys.argv[1]]()
    begun = float(os.environ["BENCH_BEGUN"])
    storage = FileStorage(sys.argv[2], cache_path="cache", file_name_prefix="corpus", cache_type="jsonl")
    for step in steps:
        step.run(storage.step(), input_key="text")
    seconds = time.time() - begun
    spent = resource.getrusage(resource.RUSAGE_SELF)
    last = max(Path("cache").glob("*.jsonl"), key=lambda p: p.stat().st_mtime_ns)
    kept = [json.loads(line)["id"] for line in last.read_text(encoding="utf-8").split("\n") if line]
    Path(sys.argv[3]).write_text(json.dumps(kept))
    print(json.dumps({
        "seconds": seconds, "rows": len(kept), "peak_mb": spent.ru_maxrss / 1024,
        "cpu_seconds": spent.ru_utime + spent.ru_stime,
    }))  # fmt: skip
