"""De-duplication as in CCNet."""

from __future__ import annotations

from dataflow.operators.text_pt.ccnet_duplicates import CCNetDeduplicateFilter, ParagraphDeduplicateRefiner
from dataflow.testing import Case, keeps

CASES = [
    keeps(
        CCNetDeduplicateFilter(),
        [
            "On May 3, we met.",
            "on may 4 we met",
            "on may 30 we met",
            "...",
            "!",
            "",
            None,
            None,
            "on\nmay 4 we met",
        ],
        ["On May 3, we met.", "on may 30 we met", "...", "!", "", None, None, "on\nmay 4 we met"],
        input_key="text",
    ),
    keeps(
        CCNetDeduplicateFilter(32),
        [("a", "b"), ("a", "c"), ("A", "b.")],
        [("a", "b"), ("a", "c")],
        input_keys=["q", "a"],
    ),
    Case(
        ParagraphDeduplicateRefiner(),
        [
            {"raw_content": text}
            for text in [
                "Home - About\nIt rains.\n\nPage 1",
                "HOME - ABOUT\nIt snows.\n\nIt snows!\nPage 2",
                "home about\npage 3",
                "--\n--",
                None,
                "",
            ]
        ],
        [
            {"raw_content": text}
            for text in ["Home - About\nIt rains.\n\nPage 1", "It snows.", "", "--\n--", None, ""]
        ],
        dropped=0,
    ),
    Case(
        ParagraphDeduplicateRefiner(min_chars=4),
        [{"t": "Yes.\nIndeed."}, {"t": "Yes.\nIndeed."}, {"t": "No."}],
        [{"t": "Yes.\nIndeed.", "clean": "Yes.\nIndeed."}, {"clean": "Yes."}, {"clean": "No."}],
        {"input_key": "t", "output_key": "clean"},
    ),
]
