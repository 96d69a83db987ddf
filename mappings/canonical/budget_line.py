"""Budget line (RKA/DPA): one account within one sub kegiatan of one OPD in one year."""

from typing import ClassVar, Literal

from .fields import AccountCode, ActivityCode, AgencyCode, FiscalYear, Money, Quantity, Text
from .model import Canonical


class BudgetLine(Canonical):
    """``amount`` is the line's present value in rupiah; ``amount_before`` the one before the last revision (murni)."""

    TYPE = "budget.line"
    KEY = ("fiscal_year", "agency", "activity", "account")
    AGENCY = "agency"

    fiscal_year: FiscalYear
    agency: AgencyCode
    activity: ActivityCode
    account: AccountCode
    amount: Money
    amount_before: Money | None = None
    description: Text | None = None
    volume: Quantity | None = None
    unit: Text | None = None
    unit_price: Money | None = None
    stage: Literal["rka", "rapbd", "dpa", "pergeseran", "perubahan"] | None = None
    fund_source: Text | None = None
    agency_name: Text | None = None
    activity_name: Text | None = None
    account_name: Text | None = None

    EXAMPLE: ClassVar = {
        "fiscal_year": 2026,
        "agency": "1.03.0.00.0.00.01.0000",
        "activity": "1.03.10.2.01.0029",
        "account": "5.1.02.01.01.0024",
        "amount": "1250000000.00",
        "amount_before": "1000000000.00",
        "description": "Pemeliharaan jalan lingkungan",
        "volume": "12.5",
        "unit": "km",
        "unit_price": "100000000.00",
        "stage": "dpa",
    }
