"""Announcement (pengumuman) of a tender or a direct purchase (non-tender)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .fields import AgencyCode, FiscalYear, KeyText, Moment, Money, RegisterCode, RupCode, Text
from .model import Canonical

Register = Literal["tender", "nontender", "spse"]
"""Which register's code: national tender and non-tender feeds, or the city's own SPSE."""


class Tender(Canonical):
    """A re-tender keeps its code: ``announcement_version`` is data, not key. ``ceiling`` is pagu, ``estimate`` HPS."""

    TYPE = "procurement.tender"
    KEY = ("register", "code")
    AGENCY = "agency"

    register: Register = Field()
    code: RegisterCode
    fiscal_year: FiscalYear
    agency: AgencyCode
    name: Text
    ceiling: Money
    estimate: Money | None = None
    status: Text | None = None
    announcement_version: Annotated[int, Field(ge=0, le=999)] | None = None
    category: Text | None = None
    method: Text | None = None
    contract_kind: Text | None = None
    qualification: Text | None = None
    fund_source: Text | None = None
    rup_codes: Annotated[tuple[RupCode, ...], Field(strict=False)] | None = None
    package_code: Text | None = None
    budget_codes: Annotated[tuple[Text, ...], Field(strict=False)] | None = None
    institution: KeyText | None = None
    office: Text | None = None
    created_at: Moment | None = None
    announced_at: Moment | None = None
    location: Text | None = None
    repeat_reason: Text | None = None
    closing_reason: Text | None = None
    url: Text | None = None

    EXAMPLE: ClassVar = {
        "register": "nontender",
        "code": "10048728000",
        "fiscal_year": 2025,
        "agency": "2.07.3.32.0.00.09.0000",
        "name": "Belanja Kursus Singkat/Pelatihan kegiatan Digital Marketing",
        "ceiling": "79747800.00",
        "estimate": "79747800.00",
        "status": "Selesai",
        "announcement_version": 1,
        "rup_codes": ["55901309"],
        "announced_at": "2025-01-31T14:00:00+07:00",
    }
