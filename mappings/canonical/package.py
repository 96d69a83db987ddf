"""Work package (paket pekerjaan) as e-Project or the national plan (RUP) holds it."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .fields import (
    AccountCode,
    ActivityCode,
    AgencyCode,
    Date,
    FiscalYear,
    Money,
    RegisterCode,
    RupCode,
    Text,
)
from .model import Canonical


class Package(Canonical):
    """A package spends one budget line: ``fiscal_year``, ``agency``, ``activity``, ``account`` name it."""

    TYPE = "project.package"
    KEY = ("register", "code")
    AGENCY = "agency"

    register: Literal["e-project", "rup"] = Field()
    code: RegisterCode
    fiscal_year: FiscalYear
    agency: AgencyCode
    activity: ActivityCode | None = None
    account: AccountCode | None = None
    name: Text
    value: Money
    category: Text | None = None
    method: Text | None = None
    status: Text | None = None
    selection_start: Date | None = None
    contract_start: Date | None = None
    completion: Date | None = None
    location: Text | None = None
    rup_code: RupCode | None = None
    revision: Annotated[int, Field(ge=0, le=2**53)] | None = None

    EXAMPLE: ClassVar = {
        "register": "e-project",
        "code": "PKT-2026-000123",
        "fiscal_year": 2026,
        "agency": "1.03.0.00.0.00.01.0000",
        "activity": "1.03.10.2.01.0029",
        "account": "5.1.02.01.01.0024",
        "name": "Pemeliharaan jalan lingkungan Kecamatan Gubeng",
        "value": "850000000.00",
        "category": "Pekerjaan Konstruksi",
        "method": "Tender",
        "status": "disetujui",
        "selection_start": "2026-02-02",
    }
