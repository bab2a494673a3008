"""Texts whose bytes were read in the wrong encoding, with what they were, and good texts that only look like it.

`python tests/operators/golden_encodings.py` writes both to `golden_encodings.json`.
"""

from __future__ import annotations

import json
from pathlib import Path

from golden_texts import ARABIC, CHINESE, CODE, HINDI, JAPANESE, KOREAN, PROSE, RUSSIAN, THAI

FILE = Path(__file__).with_name("golden_encodings.json")

GOOD = {
    "French": "L’été dernier, à Orléans, j’ai goûté une crème brûlée « très » sucrée : 3,50 € !",
    "Spanish": "¿Dónde está el niño? ¡Mañana volverá con su tía y un pingüino! — dijo María.",
    "German": "Die Straße führt über die Brücke; „schön“, sagte er, „größer als früher“.",
    "Portuguese": "A informação não está disponível: a coleção será aberta às três e às seis.",
    "Italian": "Perché no? La città è più bella di così, e c’è già il caffè.",
    "Polish": "Zażółć gęślą jaźń; łódź płynie przez Wisłę, a źdźbło trawy śpi.",
    "Czech": "Příliš žluťoučký kůň úpěl ďábelské ódy, řekl Jiří.",
    "Hungarian": "Árvíztűrő tükörfúrógép: a tűző nap alatt főztünk.",
    "Turkish": "Güneşli bir günde çocuklar bahçede şarkı söylüyor, İstanbul’da ığdır.",
    "Swedish": "Älskade Åsa, vi går över ån på måndag för att få en smörgås.",
    "Danish": "På Ærø spiser de blåbærgrød, når høsten er forbi.",
    "Vietnamese": "Hôm nay trời đẹp, chúng tôi đi dạo ở công viên và ăn phở.",
    "Romanian": "Știm că țara își așteaptă fiii; mâine va fi soare în București.",
    "Greek": "Καλημέρα σας· ο καιρός είναι ωραίος σήμερα στην Αθήνα.",
    "Russian": RUSSIAN,
    "Ukrainian": "Сьогодні гарна погода, їжак іде до лісу. Ґава сидить на дереві.",
    "Hebrew": "היום יום יפה, והלכנו לטייל בפארק ליד הים.",
    "Arabic": ARABIC,
    "Hindi": HINDI,
    "Thai": THAI,
    "Chinese": CHINESE,
    "Japanese": JAPANESE,
    "Korean": KOREAN,
    "Emoji": "Good job 👍🏽! 🎉 We won 🏆 today 😀, all of us 👨‍👩‍👧.",
    "Quotes": "She said, “It’s a long way – a very long way — to go…”",
    "Signs": "It costs £5 or €6 ± 10 %, at 20 °C, © 2024 by Ünal™ • 3 × 4 ≠ ½.",
}
"""Good texts, by language or by what is in them."""
CODECS = ["latin-1", "cp1252", "cp1251", "cp1250", "mac_roman", "cp437"]


def misread(text: str, codec: str) -> str:
    """A text in UTF-8 read in another encoding; bytes that stand for nothing there are read as Latin-1."""
    made = ""
    for byte in text.encode("utf-8"):
        try:
            made += bytes([byte]).decode(codec)
        except UnicodeDecodeError:
            made += chr(byte)
    return made


NOT_HELD = {
    "cp1251": ["Portuguese", "Polish", "Czech", "Hungarian", "Swedish", "Vietnamese", "Greek", "Arabic"],
    "mac_roman": ["Russian", "Ukrainian"],
    "cp1252": ["Åland", "ⓒ"],
}
"""Not held: texts that stay wrong, for ftfy does not hold another reading to be likely enough.

Letters read as Cyrillic where few of them make an unlikely pair; Cyrillic read as by an old Macintosh; two words
that become a letter and marks that are found in good texts. Texts that lost
bytes when they were read (a question mark in the place of one) cannot be mended, and are not in the table.
"""
WORDS = [
    "schön", "Straße", "déjà vu", "naïve", "Müller", "São Paulo", "Łódź", "Málaga", "Åland", "jalapeño", "Zoë", "façade", "œuvre", "Ærø", "Привет, мир",
    "Ελλάδα", "שלום לכם", "你好", "ありがとう", "감사합니다", "नमस्ते", "สวัสดี", "“yes”", "it’s", "a – b", "wait…", "€5", "50 ½", "x²", "→ next", "✓ done", "♥", "❤️", "😀", "ⓒ", "Nº 5", "30°C", "“", "–",
]  # fmt: skip
STAYS = [
    *GOOD.values(),
    *WORDS,
    *[PROSE, CODE, CODE.replace("\n", "\r\n"), "", " ", "\u00a0", "\ufeff", "plain\x00", "a\tb", "tab\u00a0é"],
    "NÃO", "SÃO PAULO", "LIÇÃO Nº 3", "A INFORMAÇÃO NÃO ESTÁ AQUI", "IRMÃ", "MAÇÃ", "Ã", "â", "Â", "Ê", "HÔTEL À PARIS", "ÊTRE OU NE PAS ÊTRE", "À côté de l’Église", "Âge d’or", "CRÊPES À EMPORTER", "l’âge", "CAFÉ®", "DÉJÀ™", "PÂTÉ «MAISON»",
    "Ünal GÜLŞAH", "Über-Ärzte ÄÖÜß", "ÅÄÖ åäö", "ÆØÅ æøå", "ÐÞ ðþ", "ŐŰ őű", "ŁÓDŹ", "ČŠŽ čšž", "ĀĒĪ āēī", "ŵ ŷ", "ñandú ÑANDÚ", "¡Olé! ¿Qué?", "¿", "ª º", "2.ª edición, n.º 4", "50 % ± 2 °C", "5 µm × 3 µm", "§ 12 ¶ 3", "£5 ¥6 ¢7 €8", "a¬b", "¼ + ½ = ¾", "x² + y³ = ¹", "naïve façade cliché", "Æsir œuvre", "„Zitat“ ‚so‘", "«citation» ‹là›",
    "ДЁРЕВО ёж", "РАДИО СССР", "Р. С. Т. У.", "Ђорђе и Љиљана", "Їжак, ґанок", "ΑΒΓ αβγ ΐΰ", "Ωμέγα ½", "עִבְרִית", "العربيّة", "فارسی، گچ پژ", "اردو میں ٹڈڑ", "বাংলা ভাষা।", "தமிழ் மொழி", "ქართული ენა", "Հայերեն լեզու", "አማርኛ ቋንቋ", "မြန်မာ", "ខ្មែរ", "ລາວ", "བོད་ཡིག", "中文（简体）、繁體", "ﾊﾝｶｸ ｶﾅ", "ＡＢＣ　１２３", "𠀀𠮷野家", "한국어 ㅋㅋㅋ", "e\u0301 o\u0308", "ﬁne ﬂow", "ǆ ǅ Ǆ",
    "👩‍🚀🏳️‍🌈", "🇫🇷🇩🇪", "1️⃣ 2️⃣", "☀ ☁ ☂", "♠♣♥♦", "←↑→↓", "∀x∈ℝ: x²≥0", "∑ ∫ √ ∞", "α β γ → δ", "┌─┐│└─┘", "█▓▒░", "①②③", "ⅠⅡⅢ", "𝐀𝐁", "©®™", "•·‣", "…", "‰ † ‡", "\u200b", "a\u200db", "a\u200eb", "\u2028", "\ufffd", "caf\ufffd", "&eacute; &amp; é", "%C3%A9 é", "\\xc3\\xa9 é", "\\u00e9 é", "=C3=A9 é", "b'\\xc3\\xa9' — é", "print('é')", "x = 'ü'  # größer", "SELECT 'Ñ'", "http://x.org/é?a=ü", "{\"name\": \"Zoë\"}", "| é | à | ü |", "é\r\nà\r\n", "é\rà\r", "\x1b[31mé\x1b[0m", "“‘’”", "'é' \"à\"", "—é—", "(à) [é] {ü}",
]  # fmt: skip
"""Good texts, which stay as they are."""
WINDOWS = [GOOD["Quotes"], "it’s", "“yes”", "‘no’", "a – b — c", "wait…", "Œuvre à 5 €", "Šárka, Žofie", "• one", "™", "Ÿ", "ƒ(x) = 5 ‰"]  # fmt: skip
"""Texts that are in Windows' encoding and were read as Latin-1: their marks became control characters."""
READINGS = [
    *(["latin-1"], ["cp1252"], ["cp1251"], ["cp1250"], ["cp1254"], ["mac_roman"], ["cp437"]),
    *(["latin-1"] * 2, ["cp1252"] * 2, ["latin-1", "cp1252"], ["cp1252"] * 3),
]
"""In which encodings a text was read, one time after the other."""


def reread(text: str, codecs: list[str]) -> str:
    for codec in codecs:
        text = misread(text, codec)
    return text


def pairs() -> list[tuple[str, str]]:
    """Texts that were misread, and what they were."""
    made = [
        (reread(text, codecs), text)
        for codecs in READINGS
        for name, text in GOOD.items()
        if name not in NOT_HELD.get(codecs[0], [])
    ]
    made += [
        (misread(word, codec), word)
        for codec in ("latin-1", "cp1252")
        for word in WORDS
        if word not in NOT_HELD.get(codec, [])
    ]
    made += [(text.encode("cp1252").decode("latin-1"), text) for text in WINDOWS]
    french, chinese = GOOD["French"], GOOD["Chinese"]
    for name, text in GOOD.items():
        wrong = misread(text, "cp1252")
        made += [
            (f"{french}\n{wrong}\r\n{chinese}\n", f"{french}\n{text}\r\n{chinese}\n"),
            (f"# {name}\n\n```\nx = '{wrong}'\n```", f"# {name}\n\n```\nx = '{text}'\n```"),
        ]
    return made


def table() -> list[dict[str, str]]:
    known = {text: text for text in [*STAYS, *WINDOWS]} | dict(pairs())
    return [{"text": text, "made": made} for text, made in known.items()]


if __name__ == "__main__":
    rows = [json.dumps(row, ensure_ascii=True) for row in table()]
    FILE.write_text("[\n" + ",\n".join(rows) + "\n]\n", "utf-8")
