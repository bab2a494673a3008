"""One spelling of an answer: Unicode signs, LaTeX variants and plain-text formulas written the same way."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

OPENING, CLOSING = "([{", ")]}"
_SIGNS = str.maketrans({
    "−": "-", "–": "-", "—": "-", "﹣": "-", "×": r"\times ", "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ", "÷": "/", "∕": "/", "⁄": "/",
    "π": r"\pi ", "∞": r"\infty ", "≤": r"\le ", "⩽": r"\le ", "≦": r"\le ", "≥": r"\ge ", "⩾": r"\ge ", "≧": r"\ge ", "≠": r"\ne ", "±": r"\pm ", "∓": r"\mp ",
    "°": r"^{\circ}", "º": r"^{\circ}", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "∅": r"\emptyset ", "ℝ": r"\mathbb{R}", "≈": r"\approx ", "≡": r"\equiv ",
    "θ": r"\theta ", "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "λ": r"\lambda ", "μ": r"\mu ", "φ": r"\phi ", "ω": r"\omega ", "σ": r"\sigma ",
    "“": '"', "”": '"', "‘": "'", "’": "'", "⟨": r"\langle ", "⟩": r"\rangle ", "：": ":", "∶": ":", "、": ",", "，": ",", "；": ";", "。": ".", "（": "(", "）": ")",
    "【": "[", "】": "]", "％": "%", "＄": "$", "　": " ", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u200b": "",
})  # fmt: skip
_FRACTIONS = {c: unicodedata.normalize("NFKC", c).replace("⁄", "/") for c in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"}
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
_RUN_RAISED = re.compile(f"[{''.join(_RAISED)}]+")
_RUN_LOWERED = re.compile(f"[{''.join(_LOWERED)}]+")
_ROOT = re.compile(r"√\s*(\d+|[A-Za-z]|\([^()]*\)|\{[^{}]*\})")
_GROUPED = re.compile(r"(?<=\d)(?:\\[,!:; ]|\{,\}|,\\!)(?=\d{3}(?!\d))")
_SPACED = re.compile(r"(?<![\d.,])\d{1,3}(?: \d{3})+(?!\d)")
_REWRITES = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        (r"\\(?:left|right|displaystyle|textstyle|limits|bigl?|bigr|Bigl?|Bigr|biggl?|biggr)(?![A-Za-z])\s*\.?(?=[^\d]|$)", ""),
        (r"\\[dtc]frac(?![A-Za-z])", r"\\frac"),
        (r"\\(?:textrm|textbf|textit|textnormal|mathrm|mathbf|mathit|mathsf|mathtt|mbox|hbox|operatorname|bf|rm)\*?\s*(?=\{)", r"\\text"),
        (r"\\(?:text)?dollar(?![A-Za-z])", r"\\$"),
        (r"\\(?:leq|leqslant)(?![A-Za-z])|<=|⩽", r"\\le "),
        (r"\\(?:geq|geqslant)(?![A-Za-z])|>=|⩾", r"\\ge "),
        (r"\\neq(?![A-Za-z])|!=", r"\\ne "),
        (r"\\lt(?![A-Za-z])", "<"),
        (r"\\gt(?![A-Za-z])", ">"),
        (r"\\(?:thickapprox|simeq)(?![A-Za-z])", r"\\approx "),
        (r"\\(?:varnothing|O)(?![A-Za-z])|\\\{\s*\\\}", r"\\emptyset "),
        (r"\\lbrace(?![A-Za-z])", r"\\{"),
        (r"\\rbrace(?![A-Za-z])", r"\\}"),
        (r"\\(?:R|Reals|reals)(?![A-Za-z])|\\mathbf\s*\{?R\}?|\\mathbb\s*R(?![A-Za-z])", r"\\mathbb{R}"),
        (r"\^\s*\\circ(?![A-Za-z])|\\degree(?![A-Za-z])|\^\s*\{\s*\\circ\s*\}", r"^{\\circ}"),
        (r"\\%", "%"),
        (r"(?<!\\)\\(?:(?:quad|qquad|space|thinspace)(?![A-Za-z])|[,;:!\s])|~", " "),
        (r"\\&", "&"),
        (r"\\(?:colon)(?![A-Za-z])", ":"),
        (r"\\(?:ldots|cdots|dots)(?![A-Za-z])|…", "..."),
        (r"\*\*(?=[\d({a-zA-Z-])", "^"),
        (r"\s+", " "),
    )
)  # fmt: skip
_FRAC = re.compile(r"\\frac\s*(?:(\d)\s*(\d)(?!\d)|(\d|[a-zA-Z])\s*(?=\{)|(?<=\\frac)\s*(?=\{))")
_FRAC_TAIL = re.compile(r"(\\frac\s*\{[^{}]*\})\s*(\d|[a-zA-Z])")
_BARE_ROOT = re.compile(r"\\sqrt\s*(\d+|[a-zA-Z])")
_BARE_POWER = re.compile(r"\^\s*(-?\d+|[a-zA-Z])(?!\w)")
_WORD_FUNCTION = re.compile(
    r"(?<![\\A-Za-z])(arcsin|arccos|arctan|sinh|cosh|tanh|sin|cos|tan|cot|sec|csc|ln|log|exp)(?![a-z])"
)
_WORD_SIGN = re.compile(r"(?<![\\A-Za-z])(pi|theta|infinity|infty|inf|oo)(?![A-Za-z])")
_SIGN_NAMES = {"infinity": "infty", "inf": "infty", "oo": "infty"}
_CHOOSE = re.compile(r"(?<![\\A-Za-z])C\((\w+),\s*(\w+)\)")
_MATRIX = re.compile(
    r"\\begin\{([bBvVp]?matrix|array|smallmatrix)\*?\}(?:\s*\{[clr|\s]*\})?(.*?)\\end\{\1\*?\}", re.DOTALL
)
_TEXT_ONLY = re.compile(r"\\text\s*\{([^{}]*)\}")
_EXPLAINED = re.compile(
    r"\s*\((?:i\.e\.|that is|no |all |for all )[^()]*\)\s*$|,?\s+or (?:equivalently|approximately|an equivalent form such as)\b.*$",
    re.DOTALL,
)
_EDGES = " \t\n`\"'*_;,"
LONGEST = 2000


def tidy(answer: str) -> str:
    """The answer in its one spelling; what is too long to be an answer comes back as it is."""
    text = _EXPLAINED.sub("", answer.strip())
    if len(text) > LONGEST:
        return text
    text = _plain_signs(text)
    text = _GROUPED.sub("", _without_delimiters(text))
    text = _SPACED.sub(lambda m: m[0].replace(" ", ""), text)
    for pattern, by in _REWRITES:
        text = pattern.sub(by, text)
    return _trimmed(_formulas(_trimmed(text)))


def _plain_signs(text: str) -> str:
    for sign, plain in _FRACTIONS.items():
        if sign in text:
            text = re.sub(rf"(?<=\d)\s*{sign}", f" {plain}", text).replace(sign, plain)
    text = _RUN_RAISED.sub(lambda m: "^{" + "".join(_RAISED[c] for c in m[0]) + "}", text)
    text = _RUN_LOWERED.sub(lambda m: "_{" + "".join(_LOWERED[c] for c in m[0]) + "}", text)
    text = _ROOT.sub(lambda m: r"\sqrt{" + m[1].strip("(){}") + "}", text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS)
    return text


def _without_delimiters(text: str) -> str:
    """Without the signs that open and close mathematics; a lone `$` before a number is money."""
    text = re.sub(r"\\[()\[\]]", " ", text)
    signs = re.findall(r"(?<!\\)\$", text)
    if len(signs) == 1:
        return re.sub(r"(?<!\\)\$", r"\\$", text)
    return re.sub(r"(?<!\\)\$", " ", text) if signs else text


def _trimmed(text: str) -> str:
    before = None
    while before != text:
        before = text
        text = text.strip(_EDGES)
        if (text.endswith(".") and not text.endswith("...")) or text.endswith(("!.", "?")):
            text = text[:-1]
        text = text.removesuffix("\\").rstrip() if not text.endswith("\\\\") else text[:-2]
        if text.startswith("{") and text.endswith("}") and matching(text, 0) == len(text) - 1:
            text = text[1:-1]
    return text


def _formulas(text: str) -> str:
    """Plain-text formulas as LaTeX: `sqrt(2)`, `2^(n-1)`, `pi`, `a*b`; and braces around single arguments."""
    text = _FRAC.sub(lambda m: _frac(m), text)
    text = _FRAC_TAIL.sub(r"\1{\2}", text)
    text = _call_to_braces(text, "sqrt", r"\sqrt")
    text = _call_to_braces(text, "^", "^")
    text = _BARE_ROOT.sub(r"\\sqrt{\1}", text)
    text = _BARE_POWER.sub(r"^{\1}", text)
    text = _CHOOSE.sub(r"\\binom{\1}{\2}", text)
    if "\\text" not in text:
        text = _WORD_FUNCTION.sub(r"\\\1 ", text)
    text = _WORD_SIGN.sub(lambda m: "\\" + _SIGN_NAMES.get(m[1], m[1]) + " ", text)
    return re.sub(r"\s+", " ", re.sub(r"\s*\*\s*", r"\\cdot ", text) if "**" not in text else text)


def _frac(match: re.Match[str]) -> str:
    if match[1]:
        return rf"\frac{{{match[1]}}}{{{match[2]}}}"
    return rf"\frac{{{match[3]}}}" if match[3] else r"\frac"


def _call_to_braces(text: str, name: str, command: str) -> str:
    """`name(…)` as `command{…}`, the brackets balanced."""
    at = text.find(name + "(")
    while at >= 0:
        opened = at + len(name)
        closed = matching(text, opened)
        if closed is None:
            return text
        start = at - 1 if at and text[at - 1] == "\\" else at
        inside = text[opened + 1 : closed]
        text = f"{text[:start]}{command}{{{inside}}}{text[closed + 1 :]}"
        at = text.find(name + "(", start + len(command))
    return text


def matching(text: str, start: int) -> int | None:
    """Where the bracket that opens at `start` closes; brackets of the other kinds are not counted."""
    opening = text[start]
    closing = CLOSING[OPENING.index(opening)]
    depth = 0
    for i in range(start, len(text)):
        if text[i] == opening and not (opening == "{" and text[i - 1 : i] == "\\"):
            depth += 1
        elif text[i] == closing and not (opening == "{" and text[i - 1 : i] == "\\"):
            depth -= 1
            if depth == 0:
                return i
    return None


def split(text: str, pattern: re.Pattern[str]) -> list[str]:
    """The parts of a text between what matches outside of all brackets and environments."""
    cuts = list(_cuts(text, pattern))
    ends = [a for a, _ in cuts] + [len(text)]
    starts = [0] + [b for _, b in cuts]
    return [text[a:b].strip() for a, b in zip(starts, ends, strict=True)]


def outside(text: str, pattern: re.Pattern[str], drop: str) -> str:
    """The text without a sign in what matches outside of all brackets."""
    made, last = "", 0
    for start, end in _cuts(text, pattern):
        made += text[last:start] + text[start:end].replace(drop, "")
        last = end
    return made + text[last:]


def found(text: str, pattern: re.Pattern[str]) -> list[str]:
    """What matches outside of all brackets."""
    return [text[a:b] for a, b in _cuts(text, pattern)]


def _cuts(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    matches = {m.start(): m.end() for m in pattern.finditer(text)}
    if not matches:
        return
    depth, i = 0, 0
    while i < len(text):
        if text.startswith((r"\begin", r"\langle"), i):
            depth += 1
        elif text.startswith((r"\end", r"\rangle"), i):
            depth -= 1
        elif depth == 0 and i in matches:
            yield i, matches[i]
            i = matches[i]
            continue
        elif text[i] in OPENING:
            depth += 1
        elif text[i] in CLOSING:
            depth = max(depth - 1, 0)
        i += 1


def matrix_rows(text: str) -> list[list[str]] | None:
    """The cells of an answer that is one matrix, row by row."""
    match = _MATRIX.fullmatch(text.strip("()[] "))
    if match is None:
        return None
    rows = [row.split("&") for row in re.split(r"\\\\(?:\[[^\]]*\])?", match[2]) if row.strip()]
    return [[cell.strip() for cell in row] for row in rows] or None


def determinant(text: str) -> bool:
    return r"\begin{vmatrix}" in text


def words_of(text: str) -> str:
    """The answer as plain words, where `\\text{…}` is no more than its content."""
    return " ".join(_TEXT_ONLY.sub(r" \1 ", text).split())


def normal(text: str) -> str:
    """A text for comparison as text: compatibility forms, case, spacing and a last punctuation mark do not count."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return re.sub(r"[.,;:!?。，；：！？]$", "", folded).strip()
