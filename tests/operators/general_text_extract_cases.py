"""Web pages, encodings, tokens and decontamination."""

from __future__ import annotations

import json

from dataflow.operators.general_text.decontamination import DecontaminationFilter
from dataflow.operators.general_text.token_count import TokenCountSampleEvaluator
from dataflow.operators.general_text.web_text import HtmlExtractRefiner, MojibakeRefiner
from dataflow.testing import Case, keeps, maps

QUESTION = "How many whales did the captain of the ship see on the first day of June?"
VOCABULARY = {"[UNK]": 0, "the": 1, "whale": 2, "[CLS]": 3, ".": 4}
FILES = {
    "whitespace/tokenizer.json": json.dumps(
        {
            "version": "1.0",
            # to be ignored: texts are counted whole
            "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
            "padding": {
                "strategy": {"Fixed": 9},
                "direction": "Right",
                "pad_to_multiple_of": None,
                "pad_id": 0,
                "pad_type_id": 0,
                "pad_token": "[UNK]",
            },
            "added_tokens": [],
            "normalizer": None,
            "pre_tokenizer": {"type": "Whitespace"},
            "post_processor": {
                "type": "TemplateProcessing",
                "single": [
                    {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                    {"Sequence": {"id": "A", "type_id": 0}},
                ],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
                "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [3], "tokens": ["[CLS]"]}},
            },
            "decoder": None,
            "model": {"type": "WordLevel", "vocab": VOCABULARY, "unk_token": "[UNK]"},
        }
    ),
    "questions.jsonl": "\ufeff"
    + json.dumps({"id": 7, "question": QUESTION, "choices": ["one", None, "two or three of them"]})
    + "\n\n",
    "answers.json": json.dumps([{"answer": "It was the best of times"}]),
    "more.txt": "call me ishmael some years ago\r\n\nshort",
    "table.csv": 'q,a\n"Is the sea, or is it not, blue","all of it is"\n',
}
"""The files that must lie in the working directory when the cases are run."""
BODY = "<p>The whale is a mammal that lives in the sea, and it comes up to breathe from time to time.</p>"
MAIN = "The whale is a mammal that lives in the sea, and it comes up to breathe from time to time."
PARTS = [
    f"In chapter {n} the whale comes up to breathe, and the ship follows it for {n} days."
    for n in range(1, 5)
]
PAGE = f"<html><body><nav><a href='/'>Home</a></nav><article>{''.join(f'<p>{p}</p>' for p in PARTS)}</article><footer>© 2020</footer></body></html>"
LIST = BODY.replace(
    "</p>", "</p><h2>Food</h2><p>It eats squid and fish, mostly at night, and a great deal of it.</p>"
)

WEB = [
    maps(
        HtmlExtractRefiner(),
        {
            PAGE: "\n".join(PARTS),
            "if a < b and c > d: <x>": "if a < b and c > d: <x>",
            "<br/>": "",
            "": "",
            None: None,
        },
    ),
    maps(HtmlExtractRefiner(keep_plain_text=False), {"no tags": "", BODY: MAIN}, shown=False),
    maps(
        HtmlExtractRefiner(form="markdown"),
        {
            f"<html><body><article>{LIST}</article></body></html>": f"{MAIN}\n\n## Food\n\nIt eats squid and fish, mostly at night, and a great deal of it."
        },
        shown=False,
    ),
    maps(
        MojibakeRefiner(),
        {
            "schÃ¶n": "schön",
            "â€œyesâ€\x9d": "“yes”",
            "naïve — 好 “quotes”": "naïve — 好 “quotes”",
            "good é\nbad Ã©\r\n": "good é\nbad é\r\n",
            "&amp; ﬁ\r\n": "&amp; ﬁ\r\n",
            "plain": "plain",
            "": "",
            None: None,
        },
    ),
    maps(
        MojibakeRefiner(other_faults=True),
        {"a &amp; b": "a & b", "ﬁne “q”": 'fine "q"', "a\r\nb\x07": "a\nb", "schÃ¶n": "schön", None: None},
        shown=False,
    ),
]
TOKENS = [
    maps(
        TokenCountSampleEvaluator("whitespace/tokenizer.json"),
        {"the whale.": 3, "the the the the whale, the unknown.": 9, "": 0, "  ": 0, None: None},
    ),
    maps(TokenCountSampleEvaluator("whitespace", special_tokens=True), {"the whale.": 4, "": 1}, shown=False),
]
DECONTAMINATION = [
    keeps(
        DecontaminationFilter("questions.jsonl"),
        [
            f"Tell me: {QUESTION}",
            QUESTION.upper().replace(" ", " - "),
            QUESTION.replace("captain", "mate"),
            "how many whales did the captain of the ship see on the",
            "",
            None,
        ],
        [QUESTION.replace("captain", "mate"), "how many whales did the captain of the ship see on the", ""],
    ),
    keeps(
        DecontaminationFilter(("questions.jsonl", "answers.json", "more.txt", "table.csv"), ngram=5),
        [
            "it was the best of wines",
            "or two or three of them",
            "Call me Ishmael: some years",
            "is the sea or is the lake",
            "one null short all of it is",
        ],
        ["one null short all of it is"],
        shown=False,
    ),
    keeps(
        DecontaminationFilter("questions.jsonl", 5, ("choices",)),
        [QUESTION, "two or three of them"],
        [QUESTION],
        shown=False,
    ),
    Case(
        DecontaminationFilter("more.txt", 2),
        [{"t": "free willy"}],
        [{"t": "free willy", "kept": 1}],
        {"input_key": "t", "output_key": "kept"},
        dropped=0,
        shown=False,
    ),
]
CASES = [*WEB, *TOKENS, *DECONTAMINATION]
