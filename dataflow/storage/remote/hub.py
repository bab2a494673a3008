"""Data sets of the Hugging Face hub, read from the files of their repositories."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dataflow.core.errors import MissingSource, StorageError
from dataflow.storage.atomic import replacing
from dataflow.storage.remote import hub_parts
from dataflow.storage.remote.fetched import FetchedSource
from dataflow.storage.remote.packages import cache_folder, package, retried
from dataflow.storage.remote.secrets import telling
from dataflow.storage.remote.splits import CONVERTED, converted_files, own_files

log = logging.getLogger(__name__)
FORM = "hf:dataset[@revision][:config][:split]"


def hub_source(name: str, options: Mapping[str, Any]) -> FetchedSource:
    """`hf:dataset`, `hf:dataset:split` or `hf:dataset:config:split`; the split is `train` where none is named.

    The data set's own tables are read where they can be told, else the copy that the hub made as Parquet. All
    files come from one commit. Without a connection, what was read before is read again from the cache.

    Args:
        options: `token` and `endpoint`, else those of the environment or of `hf auth login`.

    Raises:
        MissingSource: there is no such data set, config or split, or this token may not see it.
        StorageError: the hub cannot be reached and nothing is in the cache.
    """
    dataset, config, split = hub_parts(name, FORM, 3)
    repository, _, revision = dataset.partition("@")
    hub = Hub.opened(repository, options, "reading hf:")
    kept = hub.listing_path(name)
    try:
        listing = hub.listing(revision or None, config, split)
    except _Unreachable:
        if not kept.is_file():
            raise
        log.warning("%s: the hub cannot be reached; reading what was there last time", name)
        listing = Listing(**json.loads(kept.read_bytes()))
    else:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with replacing(kept) as temporary:
            temporary.write_text(json.dumps(asdict(listing)), encoding="utf-8")
    files = [HubFile(hub, listing.commit, path, size, blob) for path, size, blob in listing.files]
    return FetchedSource(name, files)


class _Unreachable(StorageError):
    """No connection, or none wanted."""


@dataclass(frozen=True)
class Listing:
    """The files of a split at a commit."""

    commit: str
    files: list[tuple[str, int, str]]
    """Path, bytes, and the hash of the content."""


@dataclass(frozen=True)
class Hub:
    """A data set's repository."""

    repository: str
    options: Mapping[str, Any] = field(repr=False)
    package: Any = field(repr=False)
    api: Any = field(repr=False)

    @classmethod
    def opened(cls, repository: str, options: Mapping[str, Any], purpose: str) -> Hub:
        hub = package("huggingface_hub", "hub", purpose)
        api = hub.HfApi(endpoint=options.get("endpoint"), token=options.get("token"))
        return cls(repository, options, hub, api)

    def listing(self, revision: str | None, config: str | None, split: str) -> Listing:
        commit, files, card = self.tree(revision)
        chosen = own_files(files, card, config, split)
        if not chosen and revision is None:
            try:
                commit, files, _ = self.tree(CONVERTED)
            except MissingSource:
                files = {}
            chosen = converted_files(files, config, split)
        if not chosen:
            raise MissingSource(f"hf:{self.repository} has no tables of split {split!r}")
        return Listing(commit, [(path, *files[path]) for path in chosen])

    def tree(self, revision: str | None) -> tuple[str, dict[str, tuple[int, str]], Mapping[str, Any]]:
        """The commit that a revision is now, its files, and its card's head."""
        info = self.asked(lambda: self.api.dataset_info(self.repository, revision=revision))
        tree = self.asked(
            lambda: list(self.api.list_repo_tree(self.repository, recursive=True, revision=info.sha, repo_type="dataset"))
        )  # fmt: skip
        files = {
            f.path: (f.size, f.lfs.sha256 if f.lfs else f.blob_id) for f in tree if hasattr(f, "blob_id")
        }
        return info.sha, files, info.card_data.to_dict() if info.card_data else {}

    def asked(self, call: Callable[[], Any]) -> Any:
        """The call's result, its errors told as ours."""
        errors = package("huggingface_hub.errors", "hub", "hf:")
        with telling("asking the hub for", f"hf:{self.repository}", self.options):
            try:
                return retried(call, _may_help)
            except errors.GatedRepoError as e:
                raise MissingSource(
                    f"hf:{self.repository} is gated: accept its conditions on its page, and set HF_TOKEN"
                ) from e
            except errors.RepositoryNotFoundError as e:
                raise MissingSource(
                    f"there is no data set {self.repository!r} on the hub, or it is private: set HF_TOKEN"
                ) from e
            except errors.RevisionNotFoundError as e:
                raise MissingSource(f"hf:{self.repository} has no such revision") from e
            except errors.HfHubHTTPError as e:
                raise _refusal(self.repository, e) from e
            except Exception as e:
                if _no_connection(e):
                    told = f"hf:{self.repository}: the hub at {self.api.endpoint} cannot be reached"
                    raise _Unreachable(f"{told} ({type(e).__name__})") from e
                raise

    def listing_path(self, name: str) -> Path:
        key = hashlib.blake2b(f"{self.api.endpoint}\0{name}".encode(), digest_size=16).hexdigest()
        return cache_folder("hub") / f"{key}.json"


@dataclass(frozen=True)
class HubFile:
    """A file of a repository at a commit, kept in the hub's own cache."""

    hub: Hub
    commit: str
    name: str
    size: int
    version: str

    def kept(self) -> Path | None:
        found = self.hub.package.try_to_load_from_cache(
            self.hub.repository, self.name, revision=self.commit, repo_type="dataset"
        )
        return Path(found) if isinstance(found, str) else None

    def fetch(self) -> Path:
        return Path(self.hub.asked(self._downloaded))

    def tail(self, length: int) -> bytes:
        place = f"datasets/{self.hub.repository}@{self.commit}/{self.name}"
        start = max(0, self.size - length)
        return bytes(self.hub.asked(lambda: self._system().cat_file(place, start=start, end=self.size)))

    def _downloaded(self) -> Any:
        return self.hub.api.hf_hub_download(
            self.hub.repository, self.name, repo_type="dataset", revision=self.commit
        )

    def _system(self) -> Any:
        return self.hub.package.HfFileSystem(endpoint=self.hub.api.endpoint, token=self.hub.api.token)


def _refusal(repository: str, error: Any) -> StorageError:
    status = getattr(error.response, "status_code", "?")
    return StorageError(f"the hub refuses hf:{repository} with HTTP {status}")


def _no_connection(error: Exception) -> bool:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return bool(kinds & {"ConnectionError", "TransportError", "LocalEntryNotFoundError", "TimeoutError"})


def _may_help(error: Exception) -> bool:
    """Whether the hub was busy, or a connection broke that had been made."""
    status = getattr(getattr(error, "response", None), "status_code", 0)
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return status == 429 or status >= 500 or bool(kinds & {"ReadError", "RemoteProtocolError"})
