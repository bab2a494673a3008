"""Refiners: what each makes of a text."""

from __future__ import annotations

from dataflow.operators.general_text.html_refiners import HtmlEntityRefiner, HtmlUrlRemoverRefiner
from dataflow.operators.general_text.normalisation import TextNormalizationRefiner
from dataflow.operators.general_text.reference_refiners import ReferenceRemoverRefiner, RemoveImageRefsRefiner
from dataflow.operators.general_text.space_refiners import (
    LowercaseRefiner,
    RemoveExtraSpacesRefiner,
    RemoveRepetitionsPunctuationRefiner,
)
from dataflow.operators.general_text.spelling import SpellingCorrectionRefiner
from dataflow.operators.general_text.symbol_refiners import (
    RemoveEmojiRefiner,
    RemoveEmoticonsRefiner,
    RemoveNumberRefiner,
    RemovePunctuationRefiner,
)
from dataflow.operators.general_text.word_refiners import (
    RemoveContractionsRefiner,
    RemoveStopwordsRefiner,
    StemmingLemmatizationRefiner,
)
from dataflow.testing import Case, maps

HTML = [
    maps(
        HtmlEntityRefiner(),
        {
            "a &lt;b&gt; c": "a b c",
            "&#60;&#060;&#x3C;&#X3c;&#8217;&#39;": "",
            "one&nbsp;two&#160;three": "one two three",
            "&amp;lt;p&amp;gt; &amp;amp;": "p ",
            "＆lt；x＆gt;": "x",
            "?a=1&gt_x=2&lt=3&amp=4": "?a=1&gt_x=2&lt=3&amp=4",
            "a &lt b": "a  b",
            "a &ndash b &ltd; &ltx": "a &ndash b &ltd; &ltx",
            "caf&eacute; &#233; &copy; AT&T R&D; &#; &;": "caf&eacute; &#233; &copy; AT&T R&D; &#; &;",
            "lt; &": "lt; &",
            "": "",
            None: None,
        },
    ),
    maps(
        HtmlEntityRefiner(html_entities=("eacute", "lt"), decode=True),
        {"caf&eacute; &#xe9; 1 &lt; 2 &gt; 0": "café é 1 < 2 &gt; 0", "&amp;lt;": "<"},
    ),
    maps(HtmlEntityRefiner(html_entities=()), {"&lt;": "&lt;"}, shown=False),
    maps(
        HtmlUrlRemoverRefiner(),
        {
            "<p>Two <b>bold</b> words</p>": "Two bold words",
            "x < y and z > w": "x < y and z > w",
            "if a <b and c> d, 1<2>0": "if a <b and c> d, 1<2>0",
            "List<String> <think>hm</think> <|end|>": "List<String> <think>hm</think> <|end|>",
            '<a\n  href="http://x.org/?a>b"\n  target=_blank disabled>text</a><br/><BR />': "text",
            "a<!-- 1 > 0\n -->b<!DOCTYPE html>c": "abc",
            "a<script>\nif (1<2) x('</p>')\n</script>b<style type='text/css'>p{}</style>c": "abc",
            "<o:p>o</o:p> <my-tag x='1'>m</my-tag>": "o m",
            "See https://x.org/a_(b)?q=1. Then": "See . Then",
            "(http://x.org), <HTTP://X.ORG>; “http://x.org”": "(), ; “”",
            "one http://x.org\ntwo": "one \ntwo",
            "one\nhttp://x.org/a\ntwo\n": "one\ntwo\n",
            "请看http://x.org/a，谢谢 http://x.org/b谢谢": "请看，谢谢 谢谢",
            "http:// https ftp://x.org http:/x": "http:// https ftp://x.org http:/x",
            "": "",
            None: None,
        },
    ),
]

REFERENCES = [
    maps(
        ReferenceRemoverRefiner(),
        {
            'Fact.<ref name="a">Book, p. 3</ref> Next.': "Fact. Next.",
            'Fact<ref name="a" />, more<REF\nname=b>x\n\ny</REF >.': "Fact, more.",
            "Open <ref>never closed\nNext line <ref>closed</ref> ends": "Open \nNext line  ends",
            "<ref name='a>b'>x</ref>y": "y",
            "x</ref>y": "xy",
            "<references /> <reference>x</reference>": "<references /> <reference>x</reference>",
            "a{{cite web|title={{lang|fr|Le}} x|url=http://x}}b": "ab",
            "a{{Cite book\n| title = x\n}}b{{citation needed}}{{sfn|A|2000}}c": "abc",
            "{{Infobox|{{cite web|x}}|y}}": "{{Infobox||y}}",
            "{{cited}} {{excite}} {{ {": "{{cited}} {{excite}} {{ {",
            "a {{cite web|open\nnext": "a \nnext",
            "no references": "no references",
            "": "",
            None: None,
        },
    ),
    maps(
        RemoveImageRefsRefiner(),
        {
            "internationalisation of 1234567 abcdefabcdef": "internationalisation of 1234567 abcdefabcdef",
            "![](images/a.jpg)x![alt text](a_(1).png 'title')y![z][id]": "xy",
            "[![badge](b.svg)](http://x.org) and [link](http://x.org)": " and [link](http://x.org)",
            'a<img src="b.png"\nalt="c">d': "ad",
            "images/0123456789abcdef.jpg, facade00.png, facade.png": ", , facade.png",
            "图 3-2：结构 图3.2.1: x 图书 3-2": "结构  x 图书 3-2",
            "一二三四五六 一二三四 一百二十三万四千五百": " 一二三四 一百二十三万四千五百",
            "a\u200eb\ufffdc &#247; {/U} U+2605 u200e \\u200e": "abc     ",
            "a ? b : c ?: d": "a ? b : c ?: d",
            "": "",
            None: None,
        },
    ),
]

SPACES = [
    maps(
        RemoveExtraSpacesRefiner(),
        {
            "  a \t b\n\n c ": "a b c",
            "a\u00a0\u3000b\u2028c\u200bd": "a b c\u200bd",
            "\r\n": "",
            "é 中  😀": "é 中 😀",
            "": "",
            None: None,
        },
    ),
    maps(
        RemoveExtraSpacesRefiner(keep_newlines=True),
        {
            " a  b \n  c\t\nd ": "a b\nc\nd",
            "a\r\nb\r\n\r\n\r\nc\rd": "a\nb\n\nc\nd",
            "a \n \n \n b": "a\n\nb",
            "\n\na\n\n": "a",
            None: None,
        },
    ),
    maps(LowercaseRefiner(), {"The ÉCOLE, Ω 中": "the école, ω 中", "": "", None: None}),
    maps(
        RemoveRepetitionsPunctuationRefiner(),
        {
            "Wait... what?? ?!?! -- __": "Wait. what? ?!?! - _",
            "aabb 1100  \n\n": "aabb 1100  \n\n",
            "！！。。😀😀": "！。😀",
            "🇧🇧 🇸🇸": "🇧🇧 🇸🇸",
            "": "",
            None: None,
        },
    ),
]

SYMBOLS = [
    maps(
        RemoveNumberRefiner(),
        {"a1b22 x² ٣ ① 1️⃣": "ab x   ", "½ 三 IV 1,000.5": "½ 三 IV ,.", "": "", None: None},
    ),
    maps(
        RemovePunctuationRefiner(),
        {"a-b, (c)! d_e: $5 `~": "ab c de 5 ", "«a» 。“b” €": "«a» 。“b” €", "": "", None: None},
    ),
    maps(
        RemovePunctuationRefiner(unicode_punctuation=True),
        {"«a»。“b”—c! €5 ± $": "abc €5 ± ", None: None},
    ),
    maps(
        RemoveEmojiRefiner(),
        {
            "a😀b🥰c🫠d🪿e": "abcde",
            "👨\u200d👩\u200d👧 👍🏽 🤷\u200d♀️ ❤️\u200d🔥": "   ",
            "🇩🇪🇫🇷x🏴󠁧󠁢󠁥󠁮󠁧󠁿": "x",
            "1️⃣ #️⃣ 2⃣ 12 #": "   12 #",
            "☀ ☺ ❤ ✈ ♀ ♂ ✓": "    ♀ ♂ ✓",
            "©® ™ ↔ ▶ ©️▶️": "©® ™ ↔ ▶ ",
            "क्\u200dष می\u200cخواهم": "क्\u200dष می\u200cخواهم",
            "é中文 12:30": "é中文 12:30",
            "": "",
            None: None,
        },
    ),
    maps(
        RemoveEmoticonsRefiner(),
        {
            "Hi :) there": "Hi  there",
            ":)) :-))) :D": "  ",
            ":) :) :) :)": "   ",
            "http://x.org D:/x C:\\ EXDX x:) a:3": "http://x.org D:/x C:\\ EXDX x:) a:3",
            "D: drive, QQ, 8) eight, |:-|": "D: drive, QQ, 8) eight, |:-|",
            "Fine!:) (^_^) T_T. ¯\\_(ツ)_/¯": "Fine!  . ",
            "(╯°□°)╯︵ ┻━┻ ʕ•ᴥ•ʔ": " ",
            "std::map<3>(x); for (;;) {}": "std::map<3>(x); for (;;) {}",
            "": "",
            None: None,
        },
    ),
]

WORDS = [
    maps(
        RemoveContractionsRefiner(),
        {
            "I can't, don’t, WON'T.": "I cannot, do not, WILL NOT.",
            "It's John's; let's see who's there": "It is John's; let us see who is there",
            "It's been; he's never been; it's not": "It has been; he has never been; it is not",
            "I'd better; I'd go; I'd never seen": "I had better; I would go; I had never seen",
            "I'M I'm i'm I'LL I’d've": "I AM I am i am I WILL I would have",
            "McDonald'll wouldn't've They're": "McDonald will would not have They are",
            "I ain't, you ain't, it ain't": "I am not, you are not, it is not",
            "'don't' 'Tis o'clock rock 'n' roll": "'do not' It is o'clock rock 'n' roll",
            "the dogs' bones, 'quoted' don": "the dogs' bones, 'quoted' don",
            "Gonna, wanna": "Going to, want to",
            "": "",
            None: None,
        },
    ),
    maps(
        RemoveStopwordsRefiner(),
        {
            "The cat is on the mat.": "cat mat.",
            "He said so. THEN we left, and it ended.": "said. left, ended.",
            "The cat\nis\n\n  on the mat\r\n": "cat\n\n\n  mat\r\n",
            'the (others) (and the end) "the"': "(others) (end)",
            "state-of-the-art don’t": "state-of-the-art",
            "bill computer billion": "bill computer billion",
            "  ": "  ",
            "": "",
            None: None,
        },
    ),
    maps(RemoveStopwordsRefiner(lang="fr"), {"le chat et la souris": "chat souris"}),
    maps(
        StemmingLemmatizationRefiner(),
        {
            "Running dogs, easily!\n\nJohn's": "run dog, easili!\n\njohn's",
            "don't 42 中文": "don't 42 中文",
            "": "",
            None: None,
        },
    ),
    maps(
        StemmingLemmatizationRefiner(method="lemmatization"),
        {"The mice were\trunning, Paris's cats": "the mouse be\trun, Paris's cat", "": "", None: None},
    ),
    maps(
        SpellingCorrectionRefiner(),
        {
            "Teh speling is wrnog, (wehre).": "The spelling is wrong, (were).",
            "see http://exmaple.com/teh?q=speling or speling@exmaple.com": (
                "see http://exmaple.com/teh?q=speling or speling@exmaple.com"
            ),
            "Mr. Kowalskiego met Fischr of NASSA": "Mr. Kowalskiego met Fischr of NASSA",
            "teh2 speling_x 3.14 don't zzxxqqvv 中文": "teh2 speling_x 3.14 don't zzxxqqvv 中文",
            "A well-knwon one.\n\nDefinately": "A well-known one.\n\nDefinitely",
            "": "",
            None: None,
        },
    ),
    maps(SpellingCorrectionRefiner(max_edit_distance=0), {"speling": "speling"}, shown=False),
]

FORMS = [
    maps(
        TextNormalizationRefiner(),
        {
            "15/3/2024, 4/3/24 and 1.2.99": "2024-03-15, 2024-03-04 and 1.2.99",
            "3/15/2024 31.12.1999 01.02.99": "2024-03-15 1999-12-31 1999-02-01",
            "31/2/2024 13/13/2024 0/1/2024 1/2/0000": "31/2/2024 13/13/2024 0/1/2024 1/2/0000",
            "29/2/2024 29/2/2023": "2024-02-29 29/2/2023",
            "v1.2.34 1.2.34 192.168.1.10 10.12.2015.1": "v1.2.34 1.2.34 192.168.1.10 10.12.2015.1",
            "version 10.12.2015, on 10.12.2015.": "version 10.12.2015, on 2015-12-10.",
            "a/1/2/2024 1/2/2024/x 1/2/2024a 1/2.2024 1/2/123": "a/1/2/2024 1/2/2024/x 1/2/2024a 1/2.2024 1/2/123",
            "March 5, 2024; May 6 2023; JUNE 7th, 2022": "2024-03-05; 2023-05-06; 2022-06-07",
            "5 March 2024, 1st of Sept. 2020": "2024-03-05, 2020-09-01",
            "February 30, 2024; may 5 2024; Marching 5 2024": "February 30, 2024; may 5 2024; Marching 5 2024",
            "$1,000.50 and $5, US$7": "1,000.50 USD and 5 USD, 7 USD",
            "$5 million, $5bn. $3k": "5 million USD, 5bn USD. 3k USD",
            "A$5 $x$ $5$ $1.2.3 $1,00 x$5": "A$5 $x$ $5$ $1.2.3 $1,00 x$5",
            "": "",
            None: None,
        },
    ),
    maps(
        TextNormalizationRefiner(day_first=False),
        {"3/4/2024 15/3/2024": "2024-03-04 2024-03-15"},
    ),
]

CASES: list[Case] = [*HTML, *REFERENCES, *SPACES, *SYMBOLS, *WORDS, *FORMS]
