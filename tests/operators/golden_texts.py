"""Difficult texts for rule filters and refiners."""

from __future__ import annotations

PROSE = (
    "It was the end of a long day, and we had walked as far as the river. Nobody spoke. The water was low for the time of "
    "the year, and there were stones in it that none of us had seen before! What could we do but wait?"
)
CHINESE = "今天天气很好，我们去公园散步。孩子们在草地上玩球，老人坐在长椅上聊天。傍晚时分，大家一起回家！"
JAPANESE = "昨日は友達と映画を見ました。とても面白かったです。また行きたいと思います！"
ARABIC = "ذهبنا إلى السوق صباحا، واشترينا الخبز والجبن. هل تعرف الطريق؟ نعم، أعرفه."
HINDI = "आज मौसम अच्छा है। हम बाज़ार जा रहे हैं। क्या तुम आओगे?"
THAI = "วันนี้อากาศดีมาก เราไปเดินเล่นที่สวนสาธารณะ"
RUSSIAN = "Сегодня хорошая погода. Мы идём гулять в парк! Ты пойдёшь с нами?"
KOREAN = "오늘은 날씨가 좋습니다. 우리는 공원에 갔습니다. 같이 갈래요?"
CODE = "function f(a) {\n  if (a > 1) { return { x: a }; }\n  return a ? b : c;\n}\n"

PLAIN = [
    "", " ", "\n", "\t \r\n", "\u3000", "\u00a0", "\x1c\x1d", "\x85", "\u2028", "\u200b", "\ufeff", "\x00", "a", ".", ":", "：", "…", "...", "。", "'",
    "one", "One.", "Two words", "A B C D E", "ABC DEF", "ABC def", "abc DEF ghi JKL mno", "1 2 3 4", "3.14159", "1,000,000", "e.g. i.e. etc.",
    PROSE, PROSE.upper(), PROSE.lower(), PROSE.title(), PROSE + ":", PROSE + " :\n\n", PROSE + "：", PROSE + "\u200e", PROSE + " \u2028:",
    CHINESE, CHINESE + "：", CHINESE * 3, CHINESE.replace("。", "").replace("，", "").replace("！", "") * 4, JAPANESE, ARABIC, HINDI, THAI, RUSSIAN, KOREAN,
    RUSSIAN.upper(), "ИТАР-ТАСС СССР мир", "ÀÉÎ ÕÜ àéî", "ǅ ǅ ǅ a", "İstanbul İSTANBUL istanbul", "ẞ ß SS ss", "Σίσυφος ΣΊΣΥΦΟΣ", "ⅣⅤ ⅳⅴ", "𝐀𝐁𝐂 𝐚𝐛𝐜",
    CODE, CODE * 3, "{" * 3 + "a" * 100, "{}" + "a" * 78, "{" + "a" * 39, "{" + "a" * 38, "{{ template }}", "｛full｝ width", "{/U}", "a{/U}b " * 30,
]  # fmt: skip

LINES = [
    "one ...\ntwo\nthree", "one...\ntwo...\nthree", "a …\nb\nc\nd", "a…\nb\nc", "wait . . .\nb", "..\n..", "....\nb\nc\nd\ne", "等等……\n好的\n是的\n不",
    "...\n\n\n\nb\nc\nd", "a...   \r\nb\r\nc\r\nd", "a...\r\nb", "…\n…\n…", "x...y\nz", "\n\n a ...\n\n",
    "• a\n• b\n• c", "• a\n• b\nc", "- a\n- b\n- c", "-a\n-b\n-c", "* a\n* b\nno", "*bold*\n**more**", "--- \n---", "-\n-\n-", "+ a\n+ b", "· a\n·b",
    "– a\n— b", "‣ a\n▶ b\n◀ c\n◦ d\n■ e\n□ f\n▪ g\n▫ h\n– i\n• j", "  • indented\n\t• tab", "• a\n" * 9 + "b", "• a\n" * 10 + "b", "• a\n" * 19 + "b", "•a\n\n\n•b",
    "1. a\n2. b", "-\u00a0a\n-\u3000b", "- a" * 10, "-1\n-2\n-3", "+49 89 1234\n+49 89 1235",
    "Enable JavaScript", "javascript\n" * 3, "javascript\n" * 4, "javascript\na\nb\nc", "JAVASCRIPT\na\nb", "a\nb\nc\nd\n" + "javascript\n" * 4,
    "a\nb\nc\nd\n" + "JavaScript is off\n" * 5, "a\nb\nc\nd\n" + "Javascript\n" * 50, "java script\n" * 9, "javajavascript\n" * 6, "jav\nascript\n" * 6,
    "ｊavascript\n" * 6, "javascript\n\n\n\na", "javascript\r\n" * 5 + "a\r\nb\r\nc\r\n", "javaſcript\n" * 5, "a\nb\njavascript javascript\njavascript",
    "line\n" * 12, "line\nLine\nLINE", "a\tb\na b", "\u2028".join("abcd"), "\x85".join(["one...", "two..."]), "a\x0bb\x0cc", "a\rb\rc",
]  # fmt: skip

MARKS = [
    "# # # a b c", "#hashtag #more #most", "a # b", "## Title\n\nText of it.", "... ... ...", "a ... b ... c ...", "…" * 3 + "a", "......", ".......a", "#" * 40 + " word",
    "... " * 5 + "中文字符很多", "C# F# #!", "＃full width", "一...二...三...", "a. . .b", "#a" * 5,
    "No. Yes! Why? Ok", "a!!! b??? c...", "one\ntwo\nthree", "Dr. No has 3.5 kg.", "。！？", "一。二！三？", "ｱ｡ｲ｡ｳ｡", "क। ख। ग।", "a؟ b؟ c۔", "!?.", "¿Qué? ¡Sí! No.",
    "One. Two. ...", ". . . a", "a\n\n\n\nb\n.\nc", "a.b.c", "http://a.b.c/d?e",
    "word " * 111, "word " * 112, "word " * 113, "word " * 112 + ". word", "word, " * 300, "word\n" * 300, "字" * 112, "字" * 113, "字，" * 113, "word" * 300,
    "word - " * 60, "a;b " * 113, "a/b " * 113, "ไทย" * 120, "한국 " * 113, "かな" * 57, "a字" * 57, "x\u3000" * 113, "कख " * 113, "a،b " * 120, "ab:" * 120, "ab: " * 120,
]  # fmt: skip

PHRASES = [
    "&lt;b&gt;", "a &nbsp; b", "a &nbsp b", "AT&T; x", "?a=1&lt=3", "?x&gt_y;", "http://x/?a=1&lt", "R&D &amp; more", "&amp", "＆ｌｔ；", "＆lt；", "＆nbsp;", "&ldquo；", "&#39;",
    "&#x27;", "&#X1F600;", "&#;", "&#x;", "&#12345678;", "&copy;", "&LT;", "& lt;", "&lt ;", "&&lt;;", "&hellip;&mdash;", "&ampere;", "x = &quot;",
    "identity and identification", "identity identity identity identity", "ID card, ID card, ID card", "id card and ID number", "ID no. 1, ID No: 2, id no 3",
    "Id no longer valid, id no use, id not", "NRIC nric Nric", "IC number / IC numbers / ic  number", "I.D. number I.D. card i.d. no. 5", "identity card\nidentity\tcards identity  number",
    "身份 身份 身份 身份", "身份证 身份证号 居民身份证", "身份證 身分證 身份证", "号码是11010519491231002X，11010519491231002x 440524188001010014 110105194912310021",
    "我的ID card和ID号码和ID number以及id cards", "resident registration resident  registration Resident Registration", "android card, madrid number, valid cards",
    "11010519491331002X 11010519491331002X 11010519491331002X", "idcard idcard idcard", "id-card id-number id-cards", "identity documents identification papers identification numbers",
    "Copyright 2024", "copyright", "COPYRIGHT", "© 2024", "Confidential!", "nonConfidentiality", "confidential", "Water mark", "Watermarked", "Copy right", "C.opyright", "a.b", "axb", "a.b (c)",
    "lorem ipsum", "Lorem Ipsum dolor", "lorem  ipsum", "lorem\nipsum", "loremipsum", "LOREM IPSUM " * 3, "Lorem, ipsum", "ipsum lorem", "dolorem ipsum", "lorem\u00a0ipsum",
    "☀", "sun ☀ and ☾", "☃", "✀", "✰", "✿", "❀", "→ ← ↑", "😀", "👩‍👩‍👧", "🇩🇪", "▢", "□", "■", "\ufffd", "caf\ufffd", "a\u200eb", "a\u200fb", "a\u200db", "÷", "6 ÷ 2 = 3", "&#247;", "&#0247;", "&#2470;",
    "u200e", "\\u200e", "U+200E", "u200E", "u200ex", "xu200e", "\\u2603", "u2603", "U+2603", "U+26", "U+1F600", "u+1f600x", "\\U0001F600", "\\u1F600", "U+273A", "U+2740", "a ? : b", "?:", "𠀀", "\U0001f9ff", "\U0001efff",
    "shit", "Shit, shit!", "shitake", "SHIT shit SHIT", "s-h-i-t", "son of a bitch", "son-of-a-bitch son of a bitch", "son of a", "bitch son of a bitch.", "(fuck) 'fuck' fuck's fuck", "fuck\nfuck", "fuck_fuck fuck_",
    "他妈的", "他妈的他妈的", "他 妈 的，他妈的", "去他妈的shit", "他妈", "The the THE tHe", "the,the;the/the", "of-the-and", "don't can't won't", "don’t can’t won’t",
    "to be or not to be", "cats dogs birds trees", "the cat", "the a of cat dog bird tree", "theend ofthe andso", "'the' \"of\" (and) [to]", "a1 the2 3of", "the" + " cat" * 20,
]  # fmt: skip

MADE = [
    PROSE + "\n" + text for text in ["#" * 30, "JAVASCRIPT", "• a", "&lt;", "Copyright", "lorem ipsum", "😀", "shit shit", "{}{}{}{}{}{}", "wait..."]
] + [" ".join([text] * 12) for text in ["same", "Same same", "same, same.", "一 二", "NASA", "NASA rocket", "... a", "42", "4a2", "été"]]  # fmt: skip

LENGTHS = (
    ["x" * n for n in (99, 100, 101)]
    + ["x " * n for n in (99, 100)]
    + ["é" * 100, "😀" * 100, "字" * 99, "e\u0301" * 50, "\t\n x" * 100]
)

TEXTS = list(dict.fromkeys([*PLAIN, *LINES, *MARKS, *PHRASES, *MADE, *LENGTHS]))

HTML = [
    "<p>Two <b>bold</b> words</p>", "x < y and z > w", "if a <b and c> d, 1<2>0", "List<String> <think>hm</think> <|end|>", "<a\n  href=\"http://x.org/?a>b\"\n  target=_blank disabled>text</a><br/><BR />",
    "a<!-- 1 > 0\n -->b<!DOCTYPE html>c<!-- open", "a<script>\nif (1<2) x('</p>')\n</script>b<style type='text/css'>p{}</style>c", "<script>no end <b>x</b>", "<o:p>o</o:p> <my-tag x='1'>m</my-tag>",
    "<SCRIPT src=a>b</Script >c<script></script>", "<p class=a b=c>d</p >", "<p class='a>b</p>", "<input disabled readonly value=1/><img alt>", "<a href=x y>z</a>", "< p>a</ p>", "<p", "<>a</>", "<?xml version='1'?>a<?php b ?>",
    "see http://x.org/a_(b)_c.", "(http://x.org/a)", "http://x.org/a(b)c)d", "http://x.org, https://y.org; HTTP://Z.ORG!", "<http://x.org>", "<http://x.org>\nnext", "http://x.org\n\nhttp://y.org\r\nend", "  http://x.org \t\nz",
    "http://x.org.\nz", "看http://x.org/路径", "http://中文", "“http://x.org”…", "http://", "http://...", "ahttp://b", "http://x.org/'a'", "http://a(b(c))d", "ftp://x.org https:/x http//y", "http://x.org]} [http://y.org]", "http://x.org>", "<http://x.org",
    "&amp;lt;p&amp;gt; &amp;amp; &amp;amp;amp;", "one&nbsp;two&#160;three&#xA0;four", "＆amp；lt；x", "&lt&gt", "&lt_ &lt= &lt& &lt;& &lt1", "a &ndash b &ltd; &ltx &nbspa", "&#60;&#060;&#x3C;&#X3c;&#8217;&#39;&#60", "&#;&;&", "&&amp;amp", "&amp;#60;", "&LT; &Nbsp;",
]  # fmt: skip

WIKI = [
    "a<ref>b</ref>c", "a<ref name=x/>c<ref name=\"y\">d</ref>e", "a<ref name='a>b'/>c", "a<ref>open\nnext</ref> line", "a<ref>open\nnext", "<ref>a<ref>b</ref>c</ref>d", "<REF>a</Ref >b", "</ref>a", "<reference>a</reference>", "<references/>a", "<ref/>a<ref />b", "<ref name=\"a>b", "<ref\nname=a\n>b</ref>c", "<ref name=a<b>c</ref>",
    "a{{cite web|url=x}}b", "a {{Citation needed}} b", "{{cite a|{{b|{{c}}}}|d}}e", "{{sfn|A|p=1}}{{harvnb|B}}{{ harvp |C}}{{sfnp}}", "{{cite open\nnext}} a", "{{cite a\nb\n}}c", "{{citeweb}} {{infobox|cite}}", "{{infobox|{{cite a}}|b}}", "}} {{cite a}} {{", "{cite a}", "{{cite|{{open}} line\nnext", "{{cite_web}}{{cite-web}}", "{{\ncite book\n}}a",
    "![a](b)c", "![](images/deadbeef00.jpg) x", "[![a](b)](c)d", "![a](b(c)d)e", "![a](b(c(d))e)f", "![a](b\n)c", "![a][b]c", "![a]\n(b)", "[a](b)", "[![a](b)]", "[![a][b]](c)", "!\\[a](b)", "<img src=a>b<IMG\nsrc=b/>c<img>d<imgs a>",
    "deadbeef.png deadbeef01.PNG x", "images/0123456789abcdef.jpeg, Images/0123abcd.gif", "xdeadbeef.png deadbeef.pngs deadbee.png", "deadbeefg.png 中deadbeef.png文", "a/images/deadbeef.tif", "图 3-2：标题", "图3.2.1: x 图 3：y 图－1", "图 3 — 2 ： a", "二〇二四年 一二三四五六 一百二十三万四千五百", "零〇一二 三四五六七", "\\u200e u200e u200f \\u200f\\u200ex", "U+2605 U+1F600 u+2605 U+26051 xU+2605 U+2740", "a\u200eb\ufffdc&#247;{/U}", "internationalization 12345678 abcdefgh",
]  # fmt: skip

SMALL = [
    ":) a :( b", "a:) b", ":):)", ":) :) :)", ":)))", ":))) :DDD ;PPP", "a :)))x", "(:))", "see (a :) )", "http://x D: 8) QQ", "ok:)", "ok :), no :( .", "。:)。", ":-)\n;-)\t=)", "(^_^) ^_^ T_T", "<3 </3 x<3", "\":)\" ':)' [:)]", ":)a", ":) ", ":P:P :P", "…:)…", "¯\\_(ツ)_/¯", ">:( >:)", ":D.", "XD xd", ":'(", ".:).:).",
    "👍🏽 ok", "👨‍👩‍👧‍👦!", "🇩🇪🇫🇷🇩", "1️⃣ 2⃣ #️⃣ *️⃣ 3️", "☀️ ☀ ☁︎", "❤️ ❤ ♥ ♥️", "♀ ♂ 🧘‍♀️ ♀️", "© ©️ ™ ™️ ↔ ↔️ ▶ ▶️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿 a", "a\ufe0fb", "\u200d \u20e3", "🫠🫡🪿", "🅰 🆎 🄰", "🀄 🃏 🀀", "✈ ✂ ✓ ✔ ✗", "①②🄰㊗ ㊗️", "🏽", "😀\u200d😀\u200d", "a‍b", "🕴 🕴️ 🌡 🗺",
    "١٢٣ ४५६ ７８９ ²³ ½ Ⅳ 四 ①⑳㉑ 🄀🄁", "1,000.5 + 3e8", "a1b2", "1️⃣2⃣", "𝟘𝟙 𝟭 ⓪ ⓿ ❿ ➉ ፩ ᧚",
    "!!! ??? ?!?! ... …… —— -- __ ==", "🇧🇧 😀😀 ++ €€ ££ ^^ ~~ ``", "。。。，，！！", "a!!b! !", "¡¡ ¿¿", "\u0301\u0301 aa 11", "((( ))) [[]]", "«»„“”’‚ €±×÷ §¶ ‰ ′″ 、。・", "don't re-do a_b a.b", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "  a  b \t c  ", "a\n\n\nb\n c\n", "a\r\n\r\nb\rc\r\rd", "a \n b", "\u3000a\u3000\u3000b\u00a0\u00a0c", "a\u2028b\u2029\u2029c\x85d", "a\u200bb\u200b c\ufeff", "a\x0b\x0cb", "\n\n a", "a \x1c b\x1fc",
]  # fmt: skip

WORDS = [
    "I can't, won't, don't!", "I'VE SAID IT'S", "It's been; it’s been, he's got, she's already had", "it's a dog's life; John's", "I'd've, we'd better; he'd never gone. she'd go", "let's LET'S Let’s", "ain't I ain't you ain't it", "'tis 'Twas 'TIS", "y'all'd've couldn't've", "rock 'n' roll 'cause 'em", "'can't' “don’t” ‘it’s’", "gonna Gonna GONNA gOnna belonga gonna_x xgonna gonna's", "o'clock d'you ma'am c'mon", "Canʼt ca'nt cant", "x'll who'll dogs're", "1can't _don't caf'e", "that'd been what's been; Where's he? HE'D", "a" * 45 + "'ll", "it's\nbeen it's  been it's,been", "they'd just taken", "the cat's", "I''m I'm'", "s'il d'accord l'ami",
    "the whale", "The. (the) \"the\" [the", "a state-of-the-art and/or the", "cat (the dog) of, the; end", "the the the", "of\nthe\r\ncat and\n", "He said \"and\" then (of course)", "don't DON’T shouldn't", "the\u2028a\u2029b of", "  of mice and men  ", "the...", "...the cat", "cat, the, dog", "“the” cat", "the\u00a0cat", "an the\tof cat", "(and (the cat))", "of_the", "the1",
    "running dogs' dog's Running MICE geese", "caresses ponies relational", "can't won't O'Neill's", "états été 中文字 한국어", "a-b c_d e1f", "’tis it’s’s dogs''cats", "rock'n'roll's", "I’M’S",
    "on 15/3/2024, 3/15/2024 and 15.03.24", "v1.2.34 version 12.10.2024 v 1.2.2024 § 12.10.2024 IP 10.10.20.30", "March 15, 2024; 15 March 2024; 15th of March, 2024; Mar. 5,2024", "march 5, 2024 MARCH 5 2024 MArch 5, 2024 Marsh 5, 2024", "31/2/2024 30.02.2024 29/2/2023 29/2/2024 0/1/2024", "1/2/68 1/2/69 01.02.69 1.2.69", "Sept 3, 2024 Sept. 3, 2024 Sep 3 2024 September 31, 2024", "12/10/20245 112/10/2024 1/12/10/2024 12/10/2024/1 12-10-2024", "$5 $1,000.50 US$3.50 A$5 $5k $5 million $1,00 $5.", "$5bn. $$5 5$ $ 5 $5$ x$5 $1.2.3 $10,000,000 $0.5M $3 Million", "May 5, 2024. (May 5, 2024) 5 May 2024, 5 May, 2024", "1st of May 2024 2nd May 2024 3rd may 2024", "3.12.2024 release 3.12.2024 build. 3.12.2024 reversion 3.12.2024", "5 Juni 2024 Jan 5, 20245 x-Jan 5, 2024 Jan 5, 2024-x", "2024.03.15 15.3.2024. 15.3.2024.1 15.3.2024.a",
    "Teh whlae swam. Acommodation is definately recieved", "Whlae. whlae! \"Whlae (whlae) *whlae* _whlae_ WHLAE wHlae, Whlae", "well-knwon wel-known state-of-teh-art co-op whlae-", "whlae's whlae’s o'whlae whlae@sea.org @whlae #whlae &whlae; whlae/sea sea/whlae whlae() whlae:x whlae: x",
    "http://whlae.org/teh www.whlae.org WWW.teh.net httpwhlae xhttp://teh whlae.org a.whlae whlae.", "tset tst ts abcdefgh xqzzyx whlae1 1whlae whlaeé éwhlae 中whlae文", "Hte end.\nHte start: Hte way? hte\r\nHte", "recieve,beleive;seperate|untill", "Jonh met Mraia in Pairs",
    "A good line here.\nmenu\nTwo words.\nEnable JavaScript in it.\nRead our Terms of Use here.", "Cited here.[12] And[edit] so it goes![citation needed]\nIt trails off here...\nSo it does too…", "\"A quote ends here\"\n  spaced line is here?  \n\n日本語 の 文。", "a b c.[]\n[1] [12345] d e.\n" + "x" * 1001 + " b c.", "We use cookies on it.\r\nIt is a line here.\r\n", "one two three'\none two three”\none two three;",
]  # fmt: skip

REFINED = [
    t
    for t in dict.fromkeys([*PLAIN, *LINES, *MARKS, *PHRASES, *MADE, *HTML, *WIKI, *SMALL, *WORDS])
    if len(t) < 400 or "x" * 1001 in t
]
