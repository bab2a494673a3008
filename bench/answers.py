"""Whether two answers are the same: the table of pairs that the tests check, both ways round, and pairs drawn from families of
answers with seeded numbers, all of them different. Falsely equal and falsely different pairs are counted.

The table is also put to open-dataflow's own extractor and its comparison, the call of math-verify that its filter makes; each answer
stands in a box there, as in a solution.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import peers
from dataflow.operators._lib.answers import compare, compare_all
from dataflow.operators._lib.answers.workers import worked_s

TABLE = Path(__file__).parents[1] / "tests" / "operators" / "answers" / "pairs.tsv"
CHECKS, LIMIT_S = 10_000, 60
Check = tuple[str, str, bool]
"""A reference, an answer, and whether they are the same."""


def table() -> list[Check]:
    lines = TABLE.read_text("utf-8").splitlines()[1:]
    pairs = [(r, a, e == "yes") for _, e, r, a in (line.split("\t") for line in lines)]
    return pairs + [(a, r, e) for r, a, e in pairs]


FAMILIES: list[Callable[[int, int, int, int], tuple[str, str]]] = [
    lambda a, b, c, d: (rf"\frac{{{a}}}{{{b}}}", f"{a * c + d}/{b * c}"),
    lambda a, b, c, d: (f"{a * 1000 + b:,}", str(a * 1000 + b + d)),
    lambda a, b, c, d: (f"(x+{a})(x+{b})", f"x^2+{a + b}x+{a * b + d}"),
    lambda a, b, c, d: (rf"{a}\sqrt{{{b}}}", rf"\sqrt{{{a * a * b + d}}}"),
    lambda a, b, c, d: (rf"{a}\pi+{b}", rf"{b + d}+\pi\cdot {a}"),
    lambda a, b, c, d: (rf"({a},{b},{c})", rf"\left({a}, {b + d}, {c}\right)"),
    lambda a, b, c, d: (rf"\{{{a},{-b},{c + 90}\}}", rf"\{{{c + 90 + d}, {a}, {-b}\}}"),
    lambda a, b, c, d: (f"x={a}, y={b}", f"y = {b + d} and x = {a}"),
    lambda a, b, c, d: (f"[{a},{a + b})", rf"{a} \le x < {a + b + d}"),
    lambda a, b, c, d: (f"{a}x+{b}y={c}", f"{2 * a}x+{2 * b}y={2 * c + d}"),
    lambda a, b, c, d: (rf"{a}.{b:02}\text{{ m}}", f"{a * 100 + b + d} cm"),
    lambda a, b, c, d: (rf"\begin{{pmatrix}}{a}&{b}\\{c}&0\end{{pmatrix}}", rf"\begin{{bmatrix}} {a} & {b} \\ {c + d} & 0 \end{{bmatrix}}"),
    lambda a, b, c, d: (rf"{a}\pm\sqrt{{{b * b + 1}}}", rf"{a}+\sqrt{{{b * b + 1}}}, {a + d}-\sqrt{{{b * b + 1}}}"),
    lambda a, b, c, d: (f"{a}(n+{b})^2", f"{a}n^2+{2 * a * b}n+{a * b * b + d}"),
    lambda a, b, c, d: (f"{a}:{b}", f"{a * c + d}:{b * c}"),
    lambda a, b, c, d: (rf"\frac{{{a}}}{{x+{b}}}", rf"\frac{{{2 * a + d}}}{{2x+{2 * b}}}"),
]  # fmt: skip


def checks(count: int, seed: int = 0) -> list[Check]:
    """The table, and as many more from the families; half of those are off by one."""
    draw = random.Random(seed)
    made = table()
    while len(made) < count:
        off = draw.randint(0, 1)
        numbers = (draw.randint(2, 89) for _ in range(3))
        made.append((*draw.choice(FAMILIES)(*numbers, off), not off))
    draw.shuffle(made)
    return made[:count]


def cpu() -> float:
    """CPU seconds of this process and of those that compare."""
    return time.process_time() + worked_s()


def measure() -> Iterator[str]:
    """Checks a second, and how many are told falsely; then the table alone, here and by open-dataflow."""
    compare("x+1", "1+x")
    wanted = checks(CHECKS)
    started, used = time.perf_counter(), cpu()
    told = [c.equal for c in compare_all([(r, a) for r, a, _ in wanted])]
    took, worked = time.perf_counter() - started, cpu() - used
    yield (
        f"{CHECKS:,} checks, {len(set(wanted)):,} of them different: {took:.1f} s by the clock (limit {LIMIT_S}), {worked:.1f} s CPU "
        f"in all processes; {CHECKS / took:,.0f} a second; {_faults(wanted, told)}"
    )
    pairs = table()
    started = time.perf_counter()
    told = [c.equal for c in compare_all([(r, a) for r, a, _ in pairs])]
    yield f"the table alone, {len(pairs):,} checks: {time.perf_counter() - started:.1f} s; {_faults(pairs, told)}"
    yield from _peer(pairs)


def _faults(wanted: list[Check], told: list[bool]) -> str:
    falsely_equal = sum(t and not e for t, (_, _, e) in zip(told, wanted, strict=True))
    falsely_different = sum(e and not t for t, (_, _, e) in zip(told, wanted, strict=True))
    return f"{falsely_equal} falsely equal, {falsely_different} falsely different"


def _peer(pairs: list[Check]) -> Iterator[str]:
    name = "open-dataflow"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pairs.json")
        path.write_text(json.dumps([(r, a) for r, a, _ in pairs]), encoding="utf-8")
        done = peers.run(name, "peer_open_dataflow_answers.py", path)
    if done:
        yield f"the table by {peers.title(name)}: {done['seconds']:.1f} s; {_faults(pairs, done['told'])}"
