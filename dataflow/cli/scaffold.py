"""Writing a folder of templates: `$name` and `${name}` are filled in, in texts and in file names."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template

from dataflow.cli.show import UsageError

TEMPLATES = Path(__file__).parent / "templates"
SUFFIX = ".tmpl"


def write(templates: list[str], into: Path, values: Mapping[str, str], *, force: bool = False) -> list[Path]:
    """Fill in every template of these folders, and give the files written.

    Raises:
        UsageError: a file is there already, and `force` is not set; nothing is written then.
    """
    files = {into / path: text for folder in templates for path, text in rendered(folder, values).items()}
    there = [p for p in files if p.exists()]
    if there and not force:
        raise UsageError(
            f"already there: {', '.join(map(str, there))}; nothing was written. --force overwrites"
        )
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return list(files)


def rendered(folder: str, values: Mapping[str, str]) -> dict[str, str]:
    """Relative path to text of each file that a folder of templates makes."""
    root = TEMPLATES / folder
    return {
        Template(path.relative_to(root).as_posix().removesuffix(SUFFIX)).substitute(values): Template(
            path.read_text("utf-8")
        ).substitute(values)
        for path in sorted(root.rglob(f"*{SUFFIX}"))
    }


def class_name(name: str, what: str) -> str:
    """The name, if it can be that of a class."""
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name) or keyword.iskeyword(name):
        raise UsageError(
            f"{name!r} cannot name {what}: use words run together, each with a capital, such as {camel(name)}"
        )
    return name


def package_name(name: str) -> str:
    """The name of an extension, without `dataflow-`."""
    bare = name.removeprefix("dataflow-")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", bare):
        raise UsageError(
            f"{name!r} cannot name a package: use small letters, digits and hyphens, such as {snake(camel(name)).replace('_', '-')}"
        )
    return bare


def snake(name: str) -> str:
    """`WordNumberFilter` is `word_number_filter`, `SQLFilter` is `sql_filter`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def camel(name: str) -> str:
    """`my-data` is `MyData`."""
    joined = "".join(part[0].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name) if part)
    return joined if joined[:1].isalpha() else f"Project{joined}"
