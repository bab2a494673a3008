"""Operators, prompts, servings, storages and pipelines by name, without importing any that is not asked for.

What this package brings stands in generated tables (`make gen`). Other packages add theirs by an entry point
of the group `dataflow.operators` (`…prompts`, `…servings`, `…storages`, `…pipelines`), one a class and of its name::

    [project.entry-points."dataflow.operators"]
    RhymeFilter = "dataflow_poems.operators:RhymeFilter"
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, overload

from dataflow.core.errors import DefinitionError, UnknownName, did_you_mean

C = TypeVar("C", bound=type)
log = logging.getLogger(__name__)

ROOMS = {
    "operators": "operators",
    "prompts": "prompts",
    "servings": "serving",
    "storages": "storage",
    "pipelines": "zoo",
}
"""Registry name to the folder of this package that holds what it lists, and its generated `_table.json`."""


@dataclass(frozen=True)
class Entry:
    """What is known of a class before it is imported. Only name and module are known of other packages' classes."""

    name: str
    module: str
    kind: str = ""
    domain: str = ""
    headline: str = ""
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """`llm`, `embedding` …, and the names of optional extras."""
    package: str = "dataflow-llm"
    """The distribution that brings it; empty for what was registered by hand."""

    @property
    def where(self) -> str:
        return f"{self.module}.{self.name}" + (f" of {self.package}" if self.package else "")

    def load(self) -> type:
        found: type = getattr(import_module(self.module), self.name)
        return found


class Registry:
    """The classes of one sort, by name; listing imports none of them.

    Raises:
        DefinitionError: two classes of one name, on first use and by `register`.
    """

    def __init__(self, name: str, table: Path | None = None) -> None:
        self._name = name
        self._table = table or Path(__file__).parent.parent / ROOMS.get(name, name) / "_table.json"
        self._classes: dict[str, type] = {}

    @cached_property
    def _entries(self) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for entry in (*_of_table(self._table), *_of_entry_points(f"dataflow.{self._name}")):
            _add(entries, entry)
        return entries

    @overload
    def register(self, obj: C) -> C: ...
    @overload
    def register(self, obj: None = None) -> Callable[[C], C]: ...
    def register(self, obj: C | None = None) -> C | Callable[[C], C]:
        """Add a class: as a decorator, or by a call. Adding it again, or a new version of it, replaces it."""
        if obj is None:
            return self.register
        entry = Entry(obj.__name__, obj.__module__, package="")
        known = self._entries.get(entry.name)
        if known is None or known.module != entry.module:
            _add(self._entries, entry)
        self._classes[entry.name] = obj
        return obj

    def get(self, name: str) -> type:
        """The class of that name, imported now if it was not yet.

        Raises:
            UnknownName: there is none; a `KeyError` that names the nearest.
        """
        if name not in self._classes:
            self._classes[name] = self.entry(name).load()
        return self._classes[name]

    def entry(self, name: str) -> Entry:
        """What is known of that name without importing it."""
        try:
            return self._entries[name]
        except KeyError:
            hint = did_you_mean(name, self._entries)
            raise UnknownName(f"No object named {name!r} among the {self._name}.{hint}") from None

    def entries(self) -> list[Entry]:
        """What is known of every name, in the order of the listing."""
        return list(self._entries.values())

    def keys(self) -> list[str]:
        return list(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[tuple[str, type]]:
        """Name and class of all that can be imported here; what lacks an optional package is logged and left out."""
        for name in self.keys():
            try:
                yield name, self.get(name)
            except Exception as error:  # noqa: BLE001  # somebody else's module may raise anything; the others still list
                log.warning("%s cannot be loaded: %s", self.entry(name).where, error)

    def _get_all(self) -> dict[str, type]:
        return dict(iter(self))

    def get_obj_map(self) -> dict[str, type]:
        """Every class that can be imported here, by name."""
        return self._get_all()

    def get_type_of_objects(self) -> dict[str, list[str]]:
        """The folders and the file of each class, by name: `["core_text", "prompted"]`."""
        root = f"dataflow.{ROOMS.get(self._name, self._name)}."
        return {e.name: e.module.removeprefix(root).split(".") for e in self.entries()}

    def apply_whitelist(self, names: Sequence[str], *, verbose: bool = True) -> dict[str, Any]:
        """Forget every name but these, in place, and account for it."""
        wanted, before = list(dict.fromkeys(names)), self.keys()
        removed = [n for n in before if n not in wanted]
        for name in removed:
            del self._entries[name]
            self._classes.pop(name, None)
        account = {
            "requested_whitelist": wanted,
            "missing_in_registry": [n for n in wanted if n not in before],
            "kept": self.keys(),
            "removed": removed,
            "total_before": len(before),
            "total_after": len(self),
            "trimmed_by": len(removed),
        }
        if verbose:
            log.info(
                "%s: %d of %d kept; unknown: %s", self, len(self), len(before), account["missing_in_registry"]
            )
        return account

    def __repr__(self) -> str:
        return f"Registry({self._name!r}, {len(self)} names)"


def _add(entries: dict[str, Entry], entry: Entry) -> None:
    known = entries.get(entry.name)
    if known is not None and known.module != entry.module:
        raise DefinitionError(
            f"two classes are named {entry.name}: {known.where} and {entry.where}. "
            "Rename one, or uninstall the package that brings it"
        )
    entries.setdefault(entry.name, entry)


def _of_table(table: Path) -> Iterator[Entry]:
    if not table.exists():
        return
    for name, known in json.loads(table.read_bytes()).items():
        facts: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in known.items()}
        yield Entry(name, **facts)


def _of_entry_points(group: str) -> Iterator[Entry]:
    from importlib.metadata import entry_points  # slow, and never needed to import a class by its path

    for point in sorted(entry_points(group=group), key=lambda p: p.name):
        package = point.dist.name if point.dist else ""
        if point.attr != point.name:
            log.warning(
                "%s: entry point %s = %r does not name a class of that name; left out",
                package,
                point.name,
                point.value,
            )
            continue
        yield Entry(point.name, point.module, domain=point.module.partition(".")[0], package=package)


OPERATOR_REGISTRY = Registry("operators")
PROMPT_REGISTRY = Registry("prompts")
SERVING_REGISTRY = Registry("servings")
STORAGE_REGISTRY = Registry("storages")
PIPELINE_REGISTRY = Registry("pipelines")

__all__ = [
    "OPERATOR_REGISTRY",
    "PIPELINE_REGISTRY",
    "PROMPT_REGISTRY",
    "SERVING_REGISTRY",
    "STORAGE_REGISTRY",
    "Entry",
    "Registry",
]
