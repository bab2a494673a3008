"""data-juicer at the work of the corpus trial: runs inside its environment, and prints seconds and rows as JSON; the ids
of the documents it kept go to a file.

One process, as its measured figures are no better with two on small machines; nothing is fetched or installed while it runs.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from importlib.machinery import ModuleSpec
from pathlib import Path
from unittest.mock import MagicMock

# the executor for clusters, and what fetches files, are imported and not used
for part in ("ray", "ray.data", "ray.util", "wget"):
    sys.modules[part] = MagicMock(__spec__=ModuleSpec(part, None))
from data_juicer.config import init_configs  # noqa: E402
from data_juicer.core import DefaultExecutor  # noqa: E402

WORK = {
    "exact": {"document_deduplicator": {"lowercase": False, "ignore_non_character": False}},
    "minhash": {
        "document_minhash_deduplicator": {
            "tokenization": "space",
            "window_size": 5,
            "num_permutations": 128,
            "jaccard_threshold": 0.8,
            "num_bands": 16,
            "num_rows_per_band": 8,
            "lowercase": True,
        }
    },
}


if __name__ == "__main__":
    recipe = {
        "project_name": "corpus",
        "dataset_path": sys.argv[2],
        "export_path": "out/out.jsonl",
        "np": 1,
        "use_cache": False,
        "open_tracer": False,
        "text_keys": "text",
        "process": [WORK[sys.argv[1]]],
    }
    Path("recipe.yaml").write_text(json.dumps(recipe))  # JSON is YAML
    begun = float(os.environ["BENCH_BEGUN"])
    DefaultExecutor(init_configs(["--config", "recipe.yaml"])).run()
    seconds = time.time() - begun
    spent = resource.getrusage(resource.RUSAGE_SELF)
    kept = [
        json.loads(line)["id"]
        for line in Path("out/out.jsonl").read_text(encoding="utf-8").split("\n")
        if line
    ]
    Path(sys.argv[3]).write_text(json.dumps(kept))
    print(json.dumps({
        "seconds": seconds, "rows": len(kept), "peak_mb": spent.ru_maxrss / 1024,
        "cpu_seconds": spent.ru_utime + spent.ru_stime,
    }), file=sys.__stdout__)  # fmt: skip  # it logs whatever is printed
