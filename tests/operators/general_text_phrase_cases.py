"""Filters by words and phrases that occur in a text."""

from __future__ import annotations

from dataflow.operators.general_text.phrase_filters import (
    BlocklistFilter,
    HtmlEntityFilter,
    IDCardFilter,
    LoremIpsumFilter,
    StopWordFilter,
    WatermarkFilter,
)
from dataflow.testing import keeps

CASES = [
    keeps(
        HtmlEntityFilter(),
        ["a &lt; b", "/?a=1&lt=3&gt_x", "R&D", "&#8217;", "&#x2019;", "＆nbsp；", "&nbsp here", "&copy;", "&#;", "", None],
        ["/?a=1&lt=3&gt_x", "R&D", "&nbsp here", "&copy;", "&#;"],
    ),
    keeps(
        IDCardFilter(),
        ["identity, identification: " * 3, "ID card, NRIC, IC number", "ID no longer " * 3, "身份证 " * 3, "身份 " * 3, "我的ID card " * 3, "", None],
        ["identity, identification: " * 3, "ID no longer " * 3, "身份 " * 3],
    ),
    keeps(
        IDCardFilter(threshold=1),
        ["号码是11010519491231002X。", "11010519491331002X", "ID No. 7", "madrid no. 7", "I.D. number"],
        ["11010519491331002X", "madrid no. 7"],
    ),
    keeps(
        WatermarkFilter(),
        ["(c) 2024", "Copyright 2024", "copyright", "Watermarked", "Confidential", "", None],
        ["(c) 2024", "copyright"],
    ),
    keeps(WatermarkFilter(watermarks=["a.b", "(c", "\n#"]), ["axb", "a.b", "c", "(c)", "x\n#", "#"], ["axb", "c", "#"]),
    keeps(
        LoremIpsumFilter(),
        ["Lorem  ipsum dolor", "lorem\nipsum", "loremipsum", "ipsum lorem", "x" * 999, "", None],
        ["loremipsum", "ipsum lorem", "x" * 999],
    ),
    keeps(LoremIpsumFilter(threshold=0.085), ["lorem ipsum", "lorem ipsum " * 2], ["lorem ipsum " * 2]),
    keeps(
        StopWordFilter(0.5, use_tokenizer=False),
        ["It's the end, and we know it.", "the, a, an", "the a of cat dog bird", "the end", "CATS AND DOGS", "We don’t know why.", "...", "", None],
        ["It's the end, and we know it.", "the, a, an", "We don’t know why."],
    ),
    keeps(
        StopWordFilter(threshold=0.5, use_tokenizer=True),
        ["We don't know why.", "The, a, an, a cat", "We do not know why not?", "cats, dogs", " ", None],
        ["We don't know why.", "We do not know why not?"],
    ),
    keeps(
        StopWordFilter(0.3, False, language="zh"),
        ["我们的和不", "公园散步电影", "我的书和你的书", None],
        ["我们的和不", "我的书和你的书"],
    ),
    keeps(StopWordFilter(0.3, False, "de"), ["Das ist der Hund und die Katze", "Hund Katze Maus"], ["Das ist der Hund und die Katze"]),
    keeps(
        BlocklistFilter(),
        ["shit happens", "Shit, shit!", "shitake shitake", "(fuck) fuck.", "a son-of-a-bitch, you bastard", "", None],
        ["shit happens", "shitake shitake"],
    ),
    keeps(BlocklistFilter(language="zh", threshold=0), ["这是他妈的书", "他 妈", "好书", "色情网站"], ["他 妈", "好书"]),
    keeps(BlocklistFilter(threshold=0, use_tokenizer=True), ["clean.", "Shit.", "what the fuck's this"], ["clean."]),
    keeps(
        BlocklistFilter(threshold=0, words=["bad apple", "Übel"]),
        ["an apple gone bad", "BAD   APPLE!", "übel", "übelst", "bad, apple"],
        ["an apple gone bad", "übelst"],
    ),
    keeps(BlocklistFilter(threshold=0, words=[]), ["shit", ""], ["shit"]),
]  # fmt: skip
