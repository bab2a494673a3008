"""Identifiers that can be told by their form: addresses, numbers with a checksum, keys. No model is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from ipaddress import ip_address
from typing import Any

from dataflow.core.errors import MissingDependency
from dataflow.operators._lib.spans import Span

Finder = Callable[[str, str | None], Iterator[tuple[int, int]]]
"""Where a text has identifiers of a kind; the second argument is the region of phone numbers without a country."""

_LETTERS = r"A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u052f\u1e00-\u1fff"
_WORD = rf"0-9_{_LETTERS}"
_OTHER = rf"[^\W{_WORD}]"
_EMAIL = re.compile(
    rf"(?<![{_WORD}.%+-])[{_WORD}.%+-]+@(?:[{_WORD}-]+\.)+(?:xn--[0-9A-Za-z-]{{2,59}}|[{_LETTERS}]{{2,24}})(?![{_WORD}-])"
    rf"|(?<!{_OTHER}){_OTHER}+@(?:{_OTHER}+\.)+{_OTHER}{{2,24}}(?!{_OTHER})"
)
"""A mail address in Latin, Greek or Cyrillic letters, whatever other letters are beside it; or all in other letters."""
_IPV4 = re.compile(r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w]|\.[0-9])", re.ASCII)
_IPV6 = re.compile(
    r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,8}(?:(?:\.[0-9]{1,3}){3})?(?![\w:]|\.[0-9])",
    re.ASCII,
)
_CARD = re.compile(r"(?<![\w.-])[2-6](?:[ -]?[0-9]){12,18}(?![\w])", re.ASCII)
_CARD_ALONE = re.compile(
    r"(?<![\w.-])(?:[2-6][0-9]{12,18}|[2-6][0-9]{3}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}|3[0-9]{3}([ -])[0-9]{6}\2[0-9]{4,5})"
    r"(?!\w|-\w)",
    re.ASCII,
)
"""A card number as it is printed, which other numbers may follow: a date, a security code."""
_IBAN = re.compile(r"(?<!\w)(?=([A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}))", re.ASCII)
_PHONE = re.compile(r"(?<![\w.+])[+(]{0,2}[0-9](?:[ ().\-/\u00a0]{0,3}[0-9]){6,16}(?!\w)", re.ASCII)
_DATE = re.compile(
    r"(?:[12][0-9]{3}[-/.][01]?[0-9][-/.][0-3]?[0-9]|[0-3]?[0-9][-/.][01]?[0-9][-/.][12][0-9]{3})(?![0-9])"
)

KEYS = (
    r"(?:AKIA|ASIA)[0-9A-Z]{16}",
    r"gh[opsur]_[A-Za-z0-9]{36,251}",
    r"github_pat_[A-Za-z0-9_]{22,244}",
    r"glpat-[A-Za-z0-9_-]{20,64}",
    r"sk-[A-Za-z0-9_-]{20,200}",
    r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,200}",
    r"AIza[0-9A-Za-z_-]{35}",
    r"xox[abeoprs]-[A-Za-z0-9-]{10,250}",
    r"hf_[A-Za-z0-9]{30,100}",
    r"eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{10,2000}",
)
"""Keys of AWS, GitHub, GitLab, OpenAI and Anthropic, Stripe, Google, Slack, Hugging Face; and signed web tokens."""
_KEY = re.compile(rf"(?<![\w-])(?:{'|'.join(KEYS)})(?![\w])", re.ASCII)
_PRIVATE = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?:[^-]++|-(?!----))*+-----END (?:[A-Z]+ )*PRIVATE KEY-----"
)

_NETWORKS = re.compile(
    r"4(?:.{12}|.{15}|.{18})|(?:5[1-5]..|2(?:22[1-9]|2[3-9].|[3-6]..|7[01].|720)).{12}|3[47].{13}"
    r"|3(?:0[0-5]|[68].).{11}|(?:6011|65..|64[4-9].|35(?:2[89]|[3-8].)|62..).{12,15}|(?:50|5[6-9]|6[0-9]).{10,17}"
)
"""Visa, Mastercard, American Express, Diners, Discover and JCB, UnionPay, Maestro."""
_LENGTHS = (
    "NO15 BE16 FI18 FO18 GL18 NL18 DK18 SD18 MK19 SI19 AT20 BA20 EE20 KZ20 LT20 LU20 XK20 HR21 CH21 LI21 LV21 "
    "BG22 BH22 BY28 CR22 DE22 GB22 GE22 IE22 ME22 RS22 VA22 AE23 GI23 IL23 IQ23 OM23 TL23 AD24 CZ24 ES24 MD24 PK24 "
    "RO24 SA24 SE24 SK24 TN24 VG24 AO25 LY25 PT25 ST25 IS26 TR26 BI27 DJ27 FR27 GR27 IT27 MC27 MR27 SM27 AL28 AZ28 "
    "CY28 DO28 GT28 HU28 LB28 NI28 PL28 SV28 BR29 EG29 PS29 QA29 UA29 JO30 KW30 MU30 YE30 MT31 SC31 LC32 RU33"
)
IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _LENGTHS.split()}
"""Characters of an account number, by country."""


def identifiers(text: str, kinds: tuple[str, ...], region: str | None) -> list[Span]:
    """The identifiers in a text, those named first before others that overlap them."""
    found: list[Span] = []
    for i, kind in enumerate(k for k in FINDERS if k in kinds):
        found += [Span(start, end, kind.upper(), -i) for start, end in FINDERS[kind][0](text, region)]
    return found


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of those before it (ISO/IEC 7812-1)."""
    doubled = (d if i % 2 == 0 else d * 2 - 9 * (d > 4) for i, d in enumerate(map(int, reversed(digits))))
    return sum(doubled) % 10 == 0


def iban(account: str) -> bool:
    """Whether the account number has its country's length and a right checksum (ISO 13616)."""
    if IBAN_LENGTHS.get(account[:2]) != len(account):
        return False
    return int("".join(str(int(c, 36)) for c in account[4:] + account[:4])) % 97 == 1


def _emails(text: str, region: str | None) -> Iterator[tuple[int, int]]:
    for match in _EMAIL.finditer(text):
        start = match.end() - len(match[0].lstrip(".-"))
        if text[start] != "@":
            yield start, match.end()


def _keys(text: str, region: str | None) -> Iterator[tuple[int, int]]:
    for match in (*_PRIVATE.finditer(text), *_KEY.finditer(text)):
        if not match[0].startswith("sk-") or any(
            c.isdigit() for c in match[0]
        ):  # else it is a name, as in style sheets
            yield match.span()


def _ibans(text: str, region: str | None) -> Iterator[tuple[int, int]]:
    for match in _IBAN.finditer(text):
        size, taken = IBAN_LENGTHS.get(match[1][:2], 0), 0
        for i, character in enumerate(match[1]):
            taken += character != " "
            if taken == size and iban(match[1][: i + 1].replace(" ", "")):
                end = match.start() + i + 1
                if not (text[end : end + 1].isascii() and text[end : end + 1].isalnum()):
                    yield match.start(), end
                break


def _cards(text: str, region: str | None) -> Iterator[tuple[int, int]]:
    for match in (*_CARD.finditer(text), *_CARD_ALONE.finditer(text)):
        digits = match[0].replace(" ", "").replace("-", "")
        if _NETWORKS.fullmatch(digits) and luhn(digits):
            yield match.span()


def _addresses(text: str, region: str | None) -> Iterator[tuple[int, int]]:
    for match in (*_IPV4.finditer(text), *_IPV6.finditer(text)):
        address = match[0]
        if address.endswith(":") and not address.endswith("::"):
            address = address[:-1]  # what follows is said of it, as in logs
        groups = [g for g in address.split(":") if g]
        if ":" in address and len(groups) < 3 and (not groups or len(groups[0]) < 4):
            continue  # `a::b` of a program, or a time of day
        try:
            ip_address(address)
        except ValueError:
            continue
        yield match.start(), match.start() + len(address)


def _phones(text: str, region: str | None) -> Iterator[tuple[int, int]]:
    for match in _PHONE.finditer(text):
        if _DATE.match(match[0]):
            continue
        for number in _phonenumbers().PhoneNumberMatcher(match[0], region):
            raw = number.raw_string
            bracket = raw[0] == "(" and raw.count("(") > raw.count(")")  # it opens before the number
            yield match.start() + number.start + bracket, match.start() + number.end


@cache
def _phonenumbers() -> Any:
    try:
        import phonenumbers
    except ModuleNotFoundError as error:
        raise MissingDependency(str(error.name), "text", "Finding phone numbers") from None
    return phonenumbers


FINDERS: dict[str, tuple[Finder, str]] = {
    "email": (_emails, "@"),
    "api_key": (_keys, "|".join((*KEYS, "PRIVATE KEY-----"))),
    "iban": (_ibans, "[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11}"),
    "card": (_cards, "[2-6](?:[ -]?[0-9]){12}"),
    "ip": (_addresses, r"[0-9]\.[0-9]{1,3}\.[0-9]|:[0-9A-Fa-f]{0,4}:"),
    "phone": (_phones, "[0-9](?:[ ().\\-/\u00a0]{0,3}[0-9]){6}"),
}
"""What finds each kind, in order of precedence, and a pattern without which a text has none."""
