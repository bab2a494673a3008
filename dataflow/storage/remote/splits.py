"""Which files of a data set's repository belong to a config and a split."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import translate
from pathlib import Path, PurePosixPath
from typing import Any

from dataflow.core.errors import MissingSource, did_you_mean
from dataflow.storage.formats import known_format

CONVERTED = "refs/convert/parquet"
"""The branch in which the hub keeps a copy of a data set as Parquet."""
_WORDS = {"train": ("train", "training"), "test": ("test", "testing", "eval", "evaluation"),
          "validation": ("validation", "valid", "val", "dev")}  # fmt: skip
_SHARD = re.compile(r"(?:^|/)data/([^/]+)-\d{5}-of-\d{5}[^/]*$")
_META = re.compile(
    r"(^|/)(\.|dataset_infos\.json$|dataset_info\.json$|state\.json$|package\.json$|config\.json$)"
)


def own_files(paths: Iterable[str], card: Mapping[str, Any], config: str | None, split: str) -> list[str]:
    """The repository's own tables of a config and split, by name; empty where none can be told.

    The configs that its card declares decide. Without any, a split's files are those with its name as a word of
    their path, and a data set whose files name no split is all `train`.

    Raises:
        MissingSource: the card declares configs, but not this one or not this split.
    """
    tables = sorted(p for p in paths if known_format(Path(p)) and not _META.search(p))
    if declared := [c for c in card.get("configs") or () if c.get("data_files")]:
        return _declared(tables, _config(declared, config), split)
    if config not in (None, "default"):
        return []
    if sharded := [p for p in tables if (m := _SHARD.search(p)) and m[1] == split]:
        return sharded
    words = {p: _splits(p) for p in tables}
    if not any(words.values()):
        return tables if split == "train" else []
    return [p for p in tables if split in words[p]]


def converted_files(paths: Iterable[str], config: str | None, split: str) -> list[str]:
    """The files of the hub's Parquet copy, `config/split/0000.parquet`.

    Raises:
        MissingSource: it has no such config or split, or is only a part of the data set.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for path in sorted(p for p in paths if p.endswith(".parquet") and p.count("/") == 2):
        of, part, _ = path.split("/")
        found.setdefault((of, part), []).append(path)
    configs = list(dict.fromkeys(of for of, _ in found))
    of = config or ("default" if "default" in configs or len(configs) != 1 else configs[0])
    if (of, f"partial-{split}") in found:
        raise MissingSource(
            f"the hub converted only the first part of config {of!r}, split {split!r} to Parquet"
        )
    if (of, split) not in found:
        known = ", ".join(f"{c}:{s}" for c, s in found) or "none"
        raise MissingSource(f"there is no config {of!r} with a split {split!r}; there are {known}")
    return found[of, split]


def _config(declared: Sequence[Mapping[str, Any]], config: str | None) -> Mapping[str, Any]:
    names = [str(c.get("config_name", "default")) for c in declared]
    wanted = config
    if wanted is None:
        marked = [n for n, c in zip(names, declared, strict=True) if c.get("default")]
        wanted = marked[0] if marked else names[0] if len(names) == 1 else "default"
    if wanted not in names:
        hint = did_you_mean(wanted, names)
        raise MissingSource(f"there is no config {wanted!r}; name one of {', '.join(names)}.{hint}")
    return declared[names.index(wanted)]


def _declared(tables: list[str], config: Mapping[str, Any], split: str) -> list[str]:
    files = config["data_files"]
    if isinstance(files, str) or all(isinstance(f, str) for f in files):
        by_split: dict[str, Any] = {"train": files}
    else:
        by_split = {str(f["split"]): f["path"] for f in files}
    if split not in by_split:
        raise MissingSource(f"there is no split {split!r}; there are {', '.join(by_split)}")
    folder = PurePosixPath(str(config.get("data_dir") or ""))
    patterns = [by_split[split]] if isinstance(by_split[split], str) else by_split[split]
    matches = [re.compile(_pattern(str(folder / p))) for p in patterns]
    return [t for t in tables if any(m.match(t) for m in matches)]


def _pattern(glob: str) -> str:
    """A glob as a regular expression; `*` stays within a folder, `**` does not."""
    inside = (translate(part).removeprefix("(?s:").removesuffix(")\\Z") for part in glob.split("**/"))
    return "(?:.*/)?".join(i.replace(".*", "[^/]*") for i in inside) + r"\Z"


def _splits(path: str) -> set[str]:
    """The splits whose names are words of the path."""
    words = set(re.findall(r"[a-z]+", path.lower()))
    return {split for split, names in _WORDS.items() if words & set(names)}
