"""The registries: everything is listed, nothing is imported that was not asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dataflow.core.errors import DefinitionError, UnknownName
from dataflow.core.lazy import lazy
from dataflow.core.registry import OPERATOR_REGISTRY, PROMPT_REGISTRY, Registry

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a distribution of one module, with entry points of the group `dataflow.operators`."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def add(dist: str, module: str, source: str, **points: str) -> None:
        info = tmp_path / f"{dist.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.0\n")
        lines = "".join(f"{name} = {value}\n" for name, value in points.items())
        (info / "entry_points.txt").write_text(f"[dataflow.operators]\n{lines}")
        (tmp_path / f"{module}.py").write_text(source)
        monkeypatch.delitem(sys.modules, module, raising=False)

    return add


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "_table.json"
    known = {
        "OrderedDict": {"module": "collections", "domain": "a"},
        "Fraction": {"module": "fractions", "domain": "b"},
    }
    path.write_text(json.dumps(known))
    return path


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_listing_operators_imports_none() -> None:
    code = "import sys\nfrom dataflow.core.registry import OPERATOR_REGISTRY as R\nassert len(R.entries())\n"
    assert (
        python(
            code
            + "print([m for m in ('polars', 'dataflow.operators.core_text.prompted') if m in sys.modules])"
        )
        == "[]"
    )


def test_importing_a_domain_imports_no_operator() -> None:
    code = "import sys\nimport dataflow.operators.core_text as d\nassert 'PromptedGenerator' in dir(d)\n"
    assert python(code + "print('dataflow.operators.core_text.prompted' in sys.modules)") == "False"


def test_the_registry_and_the_domain_give_the_same_class() -> None:
    from dataflow.operators.core_text import PromptedGenerator
    from dataflow.utils.registry import OPERATOR_REGISTRY as OLD

    assert OLD.get("PromptedGenerator") is PromptedGenerator
    assert "PromptedGenerator" in OLD


@pytest.mark.parametrize("registry", [OPERATOR_REGISTRY, PROMPT_REGISTRY], ids=["operators", "prompts"])
def test_every_name_can_be_imported_and_is_that_of_its_class(registry: Registry) -> None:
    assert {name: cls.__name__ for name, cls in registry.get_obj_map().items()} == {
        e.name: e.name for e in registry.entries()
    }


def test_an_unknown_name_is_a_key_error_that_names_the_nearest() -> None:
    with pytest.raises(KeyError, match="Did you mean 'PromptedFilter'"):
        OPERATOR_REGISTRY.get("PromptedFilters")


def test_listing_counts_and_folders(table: Path) -> None:
    registry = Registry("collections", table)
    assert registry.keys() == ["OrderedDict", "Fraction"]
    assert len(registry) == 2
    assert registry.get_type_of_objects() == {"OrderedDict": ["collections"], "Fraction": ["fractions"]}
    assert [name for name, _ in registry] == ["OrderedDict", "Fraction"]


def test_a_registry_without_a_table_is_empty(tmp_path: Path) -> None:
    assert list(Registry("none", tmp_path / "absent.json")) == []


def test_register_as_decorator_and_by_call(table: Path) -> None:
    registry = Registry("x", table)

    @registry.register()
    class One: ...

    class Two: ...

    assert registry.register(Two) is Two
    assert (registry.get("One"), registry.get("Two")) == (One, Two)
    assert registry.register(One) is One


def test_two_classes_of_one_name_are_an_error_that_names_both(table: Path) -> None:
    class Fraction: ...

    with pytest.raises(DefinitionError, match=r"fractions\.Fraction.*test_registry\.Fraction"):
        Registry("x", table).register(Fraction)


def test_whitelist(table: Path) -> None:
    registry = Registry("x", table)
    account = registry.apply_whitelist(["Fraction", "Nothing"], verbose=False)
    assert account == {
        "requested_whitelist": ["Fraction", "Nothing"],
        "missing_in_registry": ["Nothing"],
        "kept": ["Fraction"],
        "removed": ["OrderedDict"],
        "total_before": 2,
        "total_after": 1,
        "trimmed_by": 1,
    }
    assert "OrderedDict" not in registry


def test_another_packages_operator_is_listed_without_being_imported(install: Install, table: Path) -> None:
    install("dataflow-poems", "poems", "class RhymeFilter: ...\n", RhymeFilter="poems:RhymeFilter")
    registry = Registry("operators", table)
    entry = registry.entry("RhymeFilter")
    assert (entry.module, entry.domain, entry.package) == ("poems", "poems", "dataflow-poems")
    assert "poems" not in sys.modules
    assert registry.get("RhymeFilter").__module__ == "poems"


def test_two_packages_with_one_name_are_an_error_that_names_both(install: Install, table: Path) -> None:
    install("dataflow-one", "one", "", RhymeFilter="one:RhymeFilter")
    install("dataflow-two", "two", "", RhymeFilter="two:RhymeFilter")
    with pytest.raises(
        DefinitionError, match=r"one\.RhymeFilter of dataflow-one and two\.RhymeFilter of dataflow-two"
    ):
        Registry("operators", table).keys()


def test_a_package_that_cannot_be_imported_hides_no_other(
    install: Install, table: Path, caplog: pytest.LogCaptureFixture
) -> None:
    install("dataflow-broken", "broken", "import no_such_module\n", BrokenFilter="broken:BrokenFilter")
    registry = Registry("operators", table)
    assert "BrokenFilter" in registry
    assert set(registry.get_obj_map()) == {"OrderedDict", "Fraction"}
    assert (
        "broken.BrokenFilter of dataflow-broken cannot be loaded: No module named 'no_such_module'"
        in caplog.text
    )


def test_an_entry_point_that_names_no_class_is_left_out(
    install: Install, table: Path, caplog: pytest.LogCaptureFixture
) -> None:
    install("dataflow-odd", "odd", "", RhymeFilter="odd")
    assert "RhymeFilter" not in Registry("operators", table)
    assert "does not name a class of that name" in caplog.text


def test_lazy_packages_say_what_they_have() -> None:
    load, listing, names = lazy("fractions", {"Fraction": "x"})
    assert names == ["Fraction"]
    assert {"Fraction", "gcd"} - set(listing()) <= {"gcd"}
    with pytest.raises(AttributeError, match="Did you mean 'Fraction'"):
        load("Fractoin")


def test_unknown_name_reads_as_a_sentence() -> None:
    assert str(UnknownName("No object named 'x'")) == "No object named 'x'"
