"""Difficult texts for rule filters."""

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
