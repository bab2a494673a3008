"""datatrove at the work of the corpus trial: runs inside its environment, and prints seconds and rows as JSON; the ids of
the documents it kept go to a file.

Each work is what its documentation builds of its own parts; its stages run one after the other, in as many processes as are asked for.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    ExactDedupFilter,
    ExactDedupSignature,
    ExactFindDedups,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.exact_dedup import ExactDedupConfig
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter


def gopher(source: Path) -> None:
    """The quality and repetition filters of Gopher."""
    _run([_read(source), GopherRepetitionFilter(), GopherQualityFilter(), _write()])


def minhash(source: Path) -> None:
    """Near duplicates: four stages."""
    config = MinhashConfig()
    _run([_read(source), MinhashDedupSignature("signatures", config=config)])
    _run([MinhashDedupBuckets("signatures", "buckets", config=config)], tasks=config.num_buckets)
    _run([MinhashDedupCluster("buckets", "remove", config=config)])
    _run([_read(source), MinhashDedupFilter("remove"), _write()])


def exact(source: Path) -> None:
    """Exact duplicates: three stages."""
    config = ExactDedupConfig(content_getter=lambda document: document.text)
    _run([_read(source), ExactDedupSignature("signatures", config=config)])
    _run([ExactFindDedups("signatures", "duplicates", config=config)])
    _run([_read(source), ExactDedupFilter("duplicates", config=config), _write()])


def _read(source: Path) -> JsonlReader:
    return JsonlReader(str(source.parent), glob_pattern=source.name)


def _write() -> JsonlWriter:
    return JsonlWriter("out", compression=None)


def _run(pipeline: list[object], tasks: int = 1) -> None:
    _run.stages += 1
    LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=f"logs/{_run.stages}").run()


_run.stages = 0
WORK = {"gopher": gopher, "minhash": minhash, "exact": exact}


if __name__ == "__main__":
    begun = float(os.environ["BENCH_BEGUN"])
    WORK[sys.argv[1]](Path(sys.argv[2]))
    seconds = time.time() - begun
    kept = [row["id"] for file in Path("out").glob("*.jsonl") for row in map(json.loads, file.open())]
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    Path(sys.argv[3]).write_text(json.dumps(kept))
    print(json.dumps({
        "seconds": seconds, "rows": len(kept), "peak_mb": max(u.ru_maxrss for u in spent) / 1024,
        "cpu_seconds": sum(u.ru_utime + u.ru_stime for u in spent),
    }))  # fmt: skip
