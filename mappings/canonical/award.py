"""Result (hasil pemilihan) of a tender or direct purchase: who won, at what value."""

from typing import Annotated, ClassVar

from pydantic import Field

from .fields import AgencyCode, FiscalYear, KeyText, Moment, Money, RegisterCode, RupCode, Text
from .model import Canonical
from .tender import Register


class Award(Canonical):
    """The four values are the stages of one price: offered, corrected, negotiated, contracted; absent while unknown."""

    TYPE = "procurement.award"
    KEY = ("register", "code")
    AGENCY = "agency"

    register: Register = Field()
    code: RegisterCode
    fiscal_year: FiscalYear
    agency: AgencyCode
    name: Text
    status: Text | None = None
    ceiling: Money | None = None
    estimate: Money | None = None
    bid_value: Money | None = None
    corrected_value: Money | None = None
    negotiated_value: Money | None = None
    contract_value: Money | None = None
    domestic_value: Money | None = None
    small_business_value: Money | None = None
    supplier_code: Text | None = None
    supplier_name: Text | None = None
    supplier_tax_number: Text | None = None
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
    announced_at: Moment | None = None
    finished_at: Moment | None = None
    url: Text | None = None

    EXAMPLE: ClassVar = {
        "register": "nontender",
        "code": "10050366000",
        "fiscal_year": 2025,
        "agency": "1.03.2.15.1.04.03.0000",
        "name": "Perencanaan Teknis Rehab Jalan Wilayah Banjaran",
        "bid_value": "99972150.00",
        "negotiated_value": "99816750.00",
        "contract_value": "99816750.00",
        "supplier_name": "JASAPLAN REKANAN UTAMA",
        "rup_codes": ["55940376"],
    }
