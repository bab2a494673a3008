"""Sentences with personal data that is told by its form, and the same sentences with its types in their place.

`python tests/operators/golden_anonymized.py` writes both to `golden_anonymized.json`. Names of people and places are told
by a statistical model: `golden_entities.py` has some.

Not held: addresses of web pages with more than a host, of which Presidio leaves a part or takes a comma too; numbers of
social security without words that name them, which are taken for phone numbers; numbers that are no identifiers, which
the statistical model may take for dates.
"""

from __future__ import annotations

import json
from pathlib import Path

FILE = Path(__file__).with_name("golden_anonymized.json")
VALUES = {
    "EMAIL_ADDRESS": ["ann@example.org", "a.b+c@mail.example.co.uk", "x_y@site.io", "zhang@example.com.cn", "info@b-c.de", "юрий@почта.рф", "rené@exemple.fr"],
    "CREDIT_CARD": ["4111111111111111", "4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005", "6011111111111117", "3530111333300000"],
    "IBAN_CODE": ["DE89370400440532013000", "GB82WEST12345698765432", "NL91ABNA0417164300", "FR1420041010050500013M02606", "ES9121000418450200051332", "BE68539007547034"],
    "IP_ADDRESS": ["192.168.0.1", "8.8.8.8", "10.0.0.254", "2001:db8::1", "255.255.255.0", "fe80::1ff:fe23:4567:890a", "::ffff:192.0.2.128"],
    "URL": ["www.example.org", "https://example.org"],
    "CRYPTO": ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"],
    "PHONE_NUMBER": ["(212) 555-0123", "+44 20 7946 0958", "+49 30 901820", "212-555-0123", "+86 138 0013 8000", "+33 1 42 68 53 00"],
}  # fmt: skip
FORMS = ["please write to {} if it is late.", "it was sent to {}, but nobody answered.", "we found {} in the old files", "the value was {}.", "is it ({}) or not?", "see: {}"]  # fmt: skip
PAIRS = ["it went from {} to {}.", "both {} and {} were there"]
STAYS = [
    "nobody answered, and we went home.", "the value was 3.14.", "it is version 1.2.3 of it", "see page 12", "the key is a::b in c::d", "write to ann at example dot org",
    "the account XX89370400440532013000 is none", "{} [] ()", "", " ", "x", "天气很好。",
]  # fmt: skip
"""Sentences without personal data."""


def table() -> list[dict[str, str]]:
    singles = [(kind, value) for kind, values in VALUES.items() for value in values]
    made = {form.format(value): form.format(f"<{kind}>") for kind, value in singles for form in FORMS}
    for i, (kind, value) in enumerate(singles):
        other, second = singles[(i + 11) % len(singles)]
        form = PAIRS[i % 2]
        made[form.format(value, second)] = form.format(f"<{kind}>", f"<{other}>")
    made |= {text: text for text in STAYS}
    return [{"text": text, "made": new} for text, new in made.items()]


if __name__ == "__main__":
    rows = [json.dumps(row, ensure_ascii=True) for row in table()]
    FILE.write_text("[\n" + ",\n".join(rows) + "\n]\n", "utf-8")
