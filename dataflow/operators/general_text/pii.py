"""Taking out what names a person or opens a door, where it can be told by its form."""

from __future__ import annotations

from typing import ClassVar, Literal

import polars as pl
from pydantic import Field, field_validator

from dataflow.core.ports import In, Out
from dataflow.operators._lib.identifiers import FINDERS, identifiers
from dataflow.operators._lib.spans import apart, replaced
from dataflow.operators._lib.text_refiner import TextRefiner

Kind = Literal["email", "phone", "ip", "card", "iban", "api_key"]


class PIIRefiner(TextRefiner):
    """Put `<EMAIL>`, `<PHONE>`, `<IP>`, `<CARD>`, `<IBAN>` or `<API_KEY>` in the place of identifiers.

    They are told by their form, without a model: mail addresses, phone numbers that can be dialled, IPv4 and IPv6
    addresses, card and account numbers whose checksum is right, and keys of well-known services. Chinese and other
    letters that are written without spaces may stand right beside them. Names of people are left; `PIIAnonymizeRefiner`
    finds those. Texts without a candidate cost next to nothing.
    """

    extras: ClassVar[tuple[str, ...]] = ("text",)
    input_key = In("raw_content", "the text")
    output_key = Out(doc="where the text goes; the column read, unless named", like="input_key")

    kinds: tuple[Kind, ...] = Field(("email", "phone", "ip", "card", "iban", "api_key"), min_length=1)
    """What is taken out."""
    phone_region: str | None = "US"
    """The country, as in ISO 3166-1, of phone numbers without a country code; null leaves those."""

    @field_validator("phone_region")
    @classmethod
    def _upper(cls, region: str | None) -> str | None:
        if region is not None and not (len(region) == 2 and region.isascii() and region.isalpha()):
            raise ValueError("a region is a code of two letters, such as GB")
        return region and region.upper()

    def may_change(self, text: pl.Expr) -> pl.Expr:
        return text.str.contains("|".join(FINDERS[kind][1] for kind in self.kinds))

    def map(self, text: str) -> str:
        return replaced(text, apart(identifiers(text, self.kinds, self.phone_region)), "<{}>")
