"""What both budget feeds share: the document that a line stands in, which is the scope of its snapshot."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from mappings.canonical.fields import KeyText
from mappings.plain_values import read_document_number, read_year, required

KeyWords = Annotated[KeyText, BeforeValidator(required(read_document_number))]
"""Text of a key in one spelling: NFC, every run of white space one blank."""


def document_scope(values: Mapping[str, Any]) -> tuple[str, str, str, str] | None:
    """``(region, year, organisation, document title)``; None if year, organisation or title cannot be read."""
    try:
        year = read_year(values.get("fiscal_year"))
        region, organisation, document = (
            read_document_number(values.get(name)) or "" for name in ("region", "organisation", "document")
        )
    except ValueError:
        return None
    if year is None or not organisation or not document:
        return None
    return region, str(year), organisation, document
