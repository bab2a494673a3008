"""What C4LineRefiner makes of difficult lines, found one character after the other.

`python tests/operators/golden_lines.py` writes the texts made to `golden_lines.json`.
"""

from __future__ import annotations

import json
from pathlib import Path

from golden_rules import sign
from golden_texts import ARABIC, CHINESE, CODE, HINDI, JAPANESE, KOREAN, PROSE, RUSSIAN, THAI

FILE = Path(__file__).with_name("golden_lines.json")
ENDS = [".", "!", "?", '"', "'", "”", "’", "。", "！", "？", "｡", "؟", "۔", "।"]
PHRASES = ["javascript", "terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies"]  # fmt: skip


def sentences(text: str) -> str:
    kept = []
    for line in without_citations(text).split("\n"):
        body = trimmed(line)
        if body and stays(body):
            kept.append(body)
    return "\n".join(kept)


def without_citations(text: str) -> str:
    made, i = "", 0
    while i < len(text):
        close = text.find("]", i)
        if text[i] == "[" and close > 0 and cited(text[i + 1 : close]):
            i = close
        else:
            made += text[i]
        i += 1
    return made


def cited(mark: str) -> bool:
    if mark.lower() in ("edit", "citation needed"):
        return True
    return len(mark) <= 4 and all(c in "0123456789" for c in mark)


def trimmed(line: str) -> str:
    while line and line[0].isspace():
        line = line[1:]
    while line and line[-1].isspace():
        line = line[:-1]
    return line


def words(line: str) -> list[str]:
    """Runs between white space, in which each Chinese or Japanese character is a word with the marks about it."""
    found = [""]
    for c in line:
        if c.isspace():
            found.append("")
            continue
        lettered = any(w.isalnum() or w == "_" for w in found[-1])
        mark = not (c.isalnum() or c == "_")
        signed = any(sign(w) for w in found[-1])
        if (sign(c) and lettered) or (signed and not mark):
            found.append("")
        found[-1] += c
    return [word for word in found if word]


def stays(line: str) -> bool:
    if line[-1] not in ENDS or line[-3:] == "...":
        return False
    parted = words(line)
    if len(parted) < 3 or any(len(word) > 1000 for word in parted):
        return False
    low = "".join(c.lower() for c in line)
    return not any(low[i:].startswith(phrase) for i in range(len(low)) for phrase in PHRASES)


WHOLE = [
    "The whale came up to breathe{}",
    "He said “it is so{}”",
    'They asked, "is it so{}"',
    "(It was late{})",
    "It was late ({})",
    "See page 3.5{}",
    "The sea [12] is deep[3]{}",
    "if (a) {{ return b }}{}",
    "Café, naïve, déjà vu{}",
    "今天天气很好{}",
    "《书》好{}",
    "a b{}",
    "x{}",
]
MARKS = ["", ".", "!", "?", "...", "…", "..", "....", ".”", "?!", "!!", ";", ":", ",", "。", "！", "؟", "۔", "।", " .", ".[4]", "[edit]", ". [citation needed]", ".)", ".]", "|", "…”", ".\u200b", ".\u00a0", ".\u3000", "\u2026.", "．", "‼", "⁇", "👍", ".👍", "»", "」"]  # fmt: skip
LATER = ["Menu", "", "\r", "It is so.\r", "  \t", "\u00a0It is so, too.\u00a0", "• It is a point.", "1.", "- - .", "She\u00a0came\u3000by.", "a\tb\tc.", "..."]  # fmt: skip
DIFFICULT = [
    *[f"The page {phrase} is here." for phrase in (*PHRASES, "Java script", "JAVASCRIPT", "JavaScripts", "javaſcript", "Terms  of Use", "Terms\nof use", "term of use", "PRIVACY POLICY", "privacy-policy", "Cookies Policy", "uses the cookies", "reuses cookies", "muse cookies", "Use Cookies", "terms of\u00a0use", "conditions of use", "política de privacidad", "İ use cookies", "privacypolicy")],
    *[f"Here {mark} it is.{mark}" for mark in ("[]", "[1]", "[12]", "[123]", "[1234]", "[12345]", "[a]", "[ 1 ]", "[1,2]", "[1][2]", "[[1]]", "[1]]", "[[1]", "[EDIT]", "[Edit]", "[edits]", "[Citation needed]", "[citation  needed]", "[citation needed", "[edit|edit source]", "[note 1]", "[٣]", "[-1]", "［1］", "[\n1]")],
    "java[1]script is here now.", "[edit", "[e[1]dit] is it so.", "a[1] b[2].", "a[1]b c.",
    "x" * 1000 + " b c.", "x" * 1001 + " b c.", "a b " + "x" * 999 + ".", "a b " + "x" * 1000 + ".", "a b c. " + "y" * 1200 + "\nIt is so.", "a b c, [" + "9" * 1001 + "].", "字" * 1001 + "。", "字" * 999 + "x" * 1001 + "。",
    CHINESE, JAPANESE, ARABIC, HINDI, THAI, RUSSIAN, KOREAN, CODE, PROSE, PROSE.replace(". ", ".\n"), PROSE.replace(" ", "\n"), PROSE.replace(" ", "\r\n"), CHINESE.replace("。", "。\n"), "\n".join([CHINESE, ARABIC, HINDI, "菜单", "ログイン", "설정"]),
    "好。", "你好。", "你们好。", "你 好。", "你 们 好。", "一二三", "一二三：", "一二三……", "“好。”", "他说：“好。”", "3月5日。", "GDP增长。", "GDP增长了5.2%。", "中A。", "中文。menu", "カタカナ。", "ー・ー。", "漢字とABC｡", "（一）。", "𠀀𠀁𠀂。", "々々々。", "。。。", "！！！", "一。二。", "?！。", "a。b。c。",
    "It is so.\rMenu\rIt was so.", "It is so.\x0bMenu", "It is so.\x0cMenu.", "It is so.\u2028Menu", "It is so.\x85Menu", "It is so.\x1cMenu or so.", "It is\n so.\n\n\n\nIt was\n\n", "\n\n\n", "\r\n\r\n", "\ufeffIt is so.", "It is so.\ufeff", "It is so.\x00", "It is\x00so now.", "\u200b\u200b\u200b .",
    ". . .", "! ! !", "' ' '", "... it is so.", "it ... is so.", "it is so ... .", "it is so. ..", "it is so ...'", "He said 'no' ’", "the dogs’", "of the dogs’", "a b c '", "1 2 3.", "- - -.", "http://x.org/a.b is it?", "mail me@x.org. now.", "{{ a b }}.", "a b c}.", "<p>It is so.</p>", "<p>It is so.", "| a | b | c. |", "# It is so!", "Lorem ipsum dolor.", "It is so.;", "It is so. (1)", "It is so.*", "It is so.¹", "It is 5 o'", "\"It is so", "\"It is so\"", "‘It is so’", "‹It is so›", "„It is so“", "It is so!?…", "It is so……", "It is so. . .", "e.g. i.e. etc.", "No. 5 is", "Mr. and Mrs.",
]  # fmt: skip
TEXTS = list(
    dict.fromkeys(
        [
            *(form.format(mark) for form in WHOLE for mark in MARKS if len(form) < 25 or mark in MARKS[:12]),
            *DIFFICULT,
            *(
                "\n".join([other, f"It was line {i}.", other, LATER[(3 * i + 1) % 12]])
                for i, other in enumerate(LATER)
            ),
        ]
    )
)


def table() -> list[dict[str, str]]:
    return [{"text": text, "made": sentences(text)} for text in TEXTS]


if __name__ == "__main__":
    rows = [json.dumps(row, ensure_ascii=True) for row in table()]
    FILE.write_text("[\n" + ",\n".join(rows) + "\n]\n", "utf-8")
