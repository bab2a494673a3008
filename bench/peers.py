"""Other projects to be measured beside, each in a virtual environment of its own under the user's cache folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs

INSTALL_S, RUN_S = 420, 300
NOWHERE = "http://127.0.0.1:9"
"""A proxy that refuses: what a peer sends to the outside ends here."""
READY = "installed.txt"


@dataclass(frozen=True)
class Peer:
    """A project as the registry has it."""

    version: str
    needs: tuple[str, ...] | None = None
    """The packages it imports for what is measured, where it declares far more; None installs all it declares."""
    env: Mapping[str, str] = field(default_factory=dict)


PEERS = {
    "open-dataflow": Peer(
        "1.0.13",
        needs=(
            "numpy==1.26.4",
            "pandas==2.3.3",
            "pyarrow==20.0.0",
            "colorlog==6.12.0",
            "math-verify==0.9.0",
            "requests==2.34.2",
            "rich==15.0.0",
            "tqdm==4.70.1",
        ),
        env={"DF_API_KEY": "none", "no_proxy": "127.0.0.1"},
    ),
    "daft": Peer(
        "0.7.26",
        needs=(
            "numpy==2.3.5",
            "packaging==26.3",
            "pyarrow==25.0.1",
            "tqdm==4.67.3",
            "typing-extensions==4.16.0",
        ),
    ),
    "datatrove": Peer(
        "0.10.1",
        needs=(
            "dill==0.4.1",
            "fsspec==2026.9.0",
            "huggingface-hub==2.4.0",
            "humanize==4.17.0",
            "loguru==0.7.3",
            "multiprocess==0.70.19",
            "nltk==3.10.4",
            "numpy==2.4.6",
            "orjson==3.13.0",
            "regex==2026.11.15",
            "spacy==3.8.18",
            "tokenizers==0.23.3",
            "tqdm==4.70.1",
            "xxhash==3.8.2",
        ),
    ),
    "data-designer": Peer(
        "0.9.6",
        env={
            "NEMO_TELEMETRY_ENABLED": "false",
            "DATA_DESIGNER_HOME": "home",
            "DATA_DESIGNER_SKIP_MODEL_HEALTH_CHECKS": "1",
            "http_proxy": NOWHERE,
            "https_proxy": NOWHERE,
            "no_proxy": "127.0.0.1",
        },
    ),
}


def title(name: str) -> str:
    return f"{name} {PEERS[name].version}"


def eager_seconds(name: str, path: str | Path, repeats: int = 3) -> float | None:
    """Seconds in which a peer's storage reads a JSONL file, writes its table and reads that; the fastest of some.

    None, with the reason printed, where the peer cannot be installed or fails.
    """
    done = run(name, "peer_open_dataflow.py", "table", Path(path).resolve(), repeats)
    return float(done["seconds"]) if done else None


def run(name: str, program: str, *arguments: object) -> dict[str, Any] | None:
    """What a program of this folder prints as JSON inside a peer's environment, in a process of its own.

    None, with the reason printed, where the peer cannot be installed, fails or takes longer than `RUN_S`.
    """
    python = python_of(name)
    if python is None:
        return None
    command = [str(python), "-I", str(Path(__file__).with_name(program)), *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        try:
            out = _output(command, RUN_S, cwd=folder, env=os.environ | PEERS[name].env)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"{title(name)} is left out: {_reason(error)}", file=sys.stderr)
            return None
    return dict(json.loads(out.splitlines()[-1]))


@cache
def python_of(name: str) -> Path | None:
    """The interpreter of a peer's own environment, made at first use; None, with the reason printed, where it cannot be."""
    version = f"py{sys.version_info.major}.{sys.version_info.minor}"
    folder = _root() / f"{name}-{PEERS[name].version}-{version}"
    ready, wanted = folder / READY, "\n".join(_requirements(name))
    if not ready.exists() or ready.read_text(encoding="utf-8") != wanted:
        try:
            _install(name, folder)
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(folder, ignore_errors=True)
            print(f"{title(name)} is left out: {_reason(error)}", file=sys.stderr)
            return None
        ready.write_text(wanted, encoding="utf-8")
    return _python(folder)


def _root() -> Path:
    root = os.environ.get("DATAFLOW_CACHE")
    return (Path(root) if root else platformdirs.user_cache_path("dataflow")) / "peers"


def _requirements(name: str) -> tuple[str, ...]:
    peer = PEERS[name]
    return (f"{name}=={peer.version}", *(peer.needs or ()))


def _install(name: str, folder: Path) -> None:
    """Make the environment from wheels alone, so that no build script of a package runs."""
    print(f"installing {title(name)} into {folder}", file=sys.stderr)
    itself, *needs = _requirements(name)
    shutil.rmtree(folder, ignore_errors=True)
    _output([sys.executable, "-m", "venv", str(folder)], INSTALL_S)
    pip = [
        str(_python(folder)),
        *("-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"),
        "--only-binary=:all:",
    ]
    if PEERS[name].needs is None:
        _output([*pip, itself], INSTALL_S)
    else:
        _output([*pip, *needs], INSTALL_S)
        _output([*pip, "--no-deps", itself], INSTALL_S)


def _python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _output(command: list[str], timeout_s: float, **options: Any) -> str:
    done = subprocess.run(
        command, check=True, capture_output=True, encoding="utf-8", timeout=timeout_s, **options
    )
    return str(done.stdout)


def _reason(error: Exception) -> str:
    """Say in a line why a command failed: the last thing it complained of."""
    if isinstance(error, subprocess.TimeoutExpired):
        return f"not done after {error.timeout:.0f} s"
    told = (getattr(error, "stderr", None) or str(error)).strip()
    return str(told.splitlines()[-1][:300])
