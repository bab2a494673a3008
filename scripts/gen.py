"""Write what follows from the code: tables, lazy packages, stubs, pages, counts. Run by `make gen`.

With `--check` nothing is written: the stale files are listed, and the exit status is 1 if there are any.
"""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import gen_code  # noqa: E402
import gen_pages  # noqa: E402

OWNED = {"docs/operators": "*.md", "dataflow/operators": "_table.json"}
"""Folders where a file of that pattern which is no longer generated is stale."""
_COUNT = re.compile(r"(<!-- count:(\w+) -->).*?(<!-- /count -->)")


def generated() -> dict[Path, str]:
    """Every generated file with its text."""
    found = gen_code.discover()
    files = gen_code.tables(found) | gen_code.packages(found) | gen_pages.pages(found)
    counts = {name: len(table) for name, table in found.items()}
    counts["domains"] = len(gen_code.by_domain(found["operators"]))
    return {ROOT / path: text for path, text in files.items()} | counted(counts)


def counted(counts: dict[str, int]) -> dict[Path, str]:
    """The pages that quote counts, with those of now."""
    quoting = [p for p in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if p.exists()]
    texts = {page: page.read_text("utf-8") for page in quoting}
    return {
        page: _COUNT.sub(lambda m: f"{m[1]}{counts[m[2]]}{m[3]}", text)
        for page, text in texts.items()
        if _COUNT.search(text)
    }


def stale(files: dict[Path, str]) -> list[Path]:
    """The files whose text is not that of the disk, and those on the disk that are generated no more."""
    changed = [p for p, text in files.items() if not p.exists() or p.read_text("utf-8") != text]
    left = [
        p
        for folder, pattern in OWNED.items()
        for p in sorted((ROOT / folder).rglob(pattern))
        if p not in files
    ]
    return sorted(changed) + left


def refresh() -> None:
    """Write the lazy packages of the operators first: pipelines import new operators from them."""
    for path, text in gen_code.packages({"operators": gen_code.operators()}).items():
        if not (ROOT / path).exists() or (ROOT / path).read_text("utf-8") != text:
            _write(ROOT / path, text)
            package = ".".join(Path(path).parent.parts)
            if path.endswith("__init__.py") and package in sys.modules:
                importlib.reload(sys.modules[package])


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")
    print(f"wrote {path.relative_to(ROOT)}")


def main() -> int:
    if "--check" not in sys.argv[1:]:
        refresh()
    files = generated()
    changed = stale(files)
    if "--check" in sys.argv[1:]:
        for path in changed:
            print(f"stale: {path.relative_to(ROOT)}")
        if changed:
            print("run `make gen`")
        return 1 if changed else 0
    for path in changed:
        if path in files:
            _write(path, files[path])
        else:
            path.unlink()
            print(f"removed {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
