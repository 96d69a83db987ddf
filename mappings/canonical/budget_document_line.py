"""A line of a published budget document (APBD), as printed, with its code normalised.

The documents use the chart of accounts of Permendagri 13/2006: up to five account segments, the last
ones absent on summary lines. ``leaf`` says that no other line of the document lies below this one, so
that the leaves can be added up without counting money twice.
"""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from .fields import FiscalYear, KeyText, Money, Text
from .model import Canonical

CODE_PATTERN = r"^([0-9]{1,5}(\.[0-9]{1,5})*)?$"


class BudgetDocumentLine(Canonical):
    """``code`` is empty on total lines (JUMLAH, SURPLUS/DEFISIT); ``account`` is its account part, 0-5 segments."""

    TYPE = "budget.document_line"
    KEY = ("region", "fiscal_year", "organisation", "document", "code", "description")

    region: KeyText
    fiscal_year: FiscalYear
    organisation: KeyText
    document: KeyText
    code: Annotated[str, StringConstraints(pattern=CODE_PATTERN, max_length=80)]
    description: KeyText
    raw_code: Annotated[str, StringConstraints(max_length=200)] | None = None
    account: Annotated[str, StringConstraints(pattern=r"^([0-9]{1,5}(\.[0-9]{1,5}){0,4})?$")]
    level: Annotated[int, Field(ge=0, le=20)]
    leaf: bool
    amount: Money
    amount_before: Money | None = None
    note: Text | None = None

    EXAMPLE: ClassVar = {
        "region": "Kabupaten Bantul",
        "fiscal_year": 2016,
        "organisation": "1.02.01",
        "document": "Penjabaran APBD",
        "code": "1.2.1.2.1.0.0.4.1.2.1.43",
        "description": "Retribusi Pelayanan Pendidikan Pelatihan Teknis",
        "raw_code": "1.02 . 1.02.01 . 00 . 00 . 4 . 1 . 2 . 01 . 43",
        "account": "4.1.2.1.43",
        "level": 12,
        "leaf": True,
        "amount": "6548000.00",
    }
