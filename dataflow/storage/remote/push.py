"""Putting tables on the Hugging Face hub."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from dataflow.core.errors import ConfigError, StorageError
from dataflow.core.frames import visible
from dataflow.storage.remote import hub_parts, source_of
from dataflow.storage.remote.card import section_of, with_section, with_split
from dataflow.storage.remote.hub import Hub
from dataflow.storage.source import FrameSource
from dataflow.storage.writing import write_frames

log = logging.getLogger(__name__)
SHARD_BYTES = 256 << 20
"""Bytes of rows in memory that one Parquet file of a pushed data set holds, about."""
_BATCH = 8192
_NAME = re.compile(r"\w+(\.\w+)*")


def push_to_hub(
    table: Any,
    repo_id: str,
    *,
    split: str = "train",
    private: bool = True,
    token: str | None = None,
    card: str | None = None,
    endpoint: str | None = None,
) -> str:
    """Put a table on the Hugging Face hub as a split of a data set, and return the address of the commit.

    The rows become Parquet files `data/{split}-…`, in place of those that the split had; other splits stay. The
    README keeps what people wrote in it: of its head only the list of files changes, of its text only the section
    of the split. Pushing the same table again makes no commit.

    Args:
        table: a run, a polars frame, or the name of anything that a storage reads.
        private: whether a data set made by this call is private; one that is there stays as it is.
        token: of the hub, else that of the environment or of `hf auth login`.
        card: the README's text (Markdown), in place of the one there.
        endpoint: the address of the hub, else `HF_ENDPOINT`.

    Raises:
        MissingDependency: huggingface_hub is not installed.
        ConfigError: a name that no split can have.
        StorageError: the hub refuses or cannot be reached.
    """
    source = FrameSource(table) if isinstance(table, pl.DataFrame) else source_of(str(_place(table)))
    summary = getattr(table, "summary", None)
    push = _Push(repo_id, split, private, card, summary, {"token": token, "endpoint": endpoint})
    return push.send(source.batches(_BATCH), source.schema)[0]


def push_frames(
    name: str, frames: Iterable[pl.DataFrame], schema: pl.Schema, options: Mapping[str, Any]
) -> int:
    """The same for `hf:dataset[:split]`; returns the number of rows."""
    repo_id, _, split = hub_parts(name, "hf:dataset[:split]", 2)
    private = bool(options.get("private", True))
    return _Push(repo_id, split, private, None, None, options).send(frames, schema)[1]


def _place(table: Any) -> Any:
    place = getattr(table, "path", table)
    if place is None:
        raise ConfigError("a preview leaves no table to push; run the pipeline first")
    if not isinstance(place, (str, Path)):
        raise ConfigError(f"a {type(table).__name__} cannot be pushed; give a run, a polars frame or a path")
    return place


@dataclass(frozen=True)
class _Push:
    """A table on its way to a split."""

    repo_id: str
    split: str
    private: bool
    card: str | None
    summary: Mapping[str, Any] | None
    options: Mapping[str, Any] = field(repr=False)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.split):
            raise ConfigError(
                f"split={self.split!r} cannot name a split: letters, digits, _ and dots between"
            )

    def send(self, frames: Iterable[pl.DataFrame], schema: pl.Schema) -> tuple[str, int]:
        """The address of the commit, and the number of rows."""
        hub = Hub.opened(self.repo_id, self.options, "pushing to the hub")
        shown = visible(pl.DataFrame(schema=schema)).schema
        with TemporaryDirectory(prefix="dataflow-") as folder:
            rows = _write_shards(Path(folder, "data"), self.split, frames, shown)
            hub.asked(
                lambda: hub.api.create_repo(
                    self.repo_id, repo_type="dataset", private=self.private, exist_ok=True
                )
            )
            readme = self._readme(hub, section_of(self.split, rows, shown, self.summary))
            Path(folder, "README.md").write_text(readme, encoding="utf-8")
            done = hub.asked(lambda: self._upload(hub, folder, rows))
        log.info("pushed %d rows to %s", rows, done.commit_url)
        return str(done.commit_url), rows

    def _upload(self, hub: Hub, folder: str, rows: int) -> Any:
        """One commit, so that readers see the split before or after, never between."""
        return hub.api.upload_folder(
            repo_id=self.repo_id, repo_type="dataset", folder_path=folder,
            delete_patterns=f"data/{self.split}-*-of-*.parquet",
            commit_message=f"Upload {self.split}: {rows:,} rows",
        )  # fmt: skip

    def _readme(self, hub: Hub, section: str) -> str:
        card = hub.package.DatasetCard(
            _there(hub) if self.card is None else self.card, ignore_metadata_errors=False
        )
        card.data["configs"] = with_split(card.data.to_dict(), self.split)
        if self.card is None:
            title = "" if card.text.strip() else f"# {self.repo_id.rpartition('/')[2]}"
            card.text = with_section(title + card.text, self.split, section)
        return str(card.content) if str(card.content).endswith("\n") else f"{card.content}\n"


def _there(hub: Hub) -> str:
    """The README of the repository; empty where it has none."""
    commit, files, _ = hub.tree(None)
    if "README.md" not in files:
        return ""
    download = hub.api.hf_hub_download
    path = hub.asked(lambda: download(hub.repository, "README.md", repo_type="dataset", revision=commit))
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as e:
        raise StorageError(f"the README of {hub.repository} is no UTF-8 text; give `card`") from e


def _write_shards(folder: Path, split: str, frames: Iterable[pl.DataFrame], schema: pl.Schema) -> int:
    folder.mkdir()
    made: list[Path] = []
    rows = 0
    for gathered in _gathered(frames, schema):
        made.append(folder / f"{len(made):05}.parquet")
        rows += write_frames(made[-1], gathered, schema)
    for number, path in enumerate(made):
        path.rename(folder / f"{split}-{number:05}-of-{len(made):05}.parquet")
    return rows


def _gathered(frames: Iterable[pl.DataFrame], schema: pl.Schema) -> Iterator[list[pl.DataFrame]]:
    """Frames that make up a file each; the first is there even without rows, to keep the columns."""
    waiting, held = [pl.DataFrame(schema=schema)], 0
    for frame in frames:
        waiting.append(frame)
        held += int(frame.estimated_size())
        if held >= SHARD_BYTES:
            yield waiting
            waiting, held = [], 0
    if waiting:
        yield waiting
