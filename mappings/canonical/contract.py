"""Contract (kontrak/SPK) with a supplier; each addendum is a record of its own."""

from typing import ClassVar

from pydantic import Field

from .fields import Addendum, AgencyCode, FiscalYear, KeyText, Moment, Money, RegisterCode, Text
from .model import Canonical
from .tender import Register


class Contract(Canonical):
    """``number`` is free text and never a key alone: the key is package (register and code), number and addendum."""

    TYPE = "contract.contract"
    KEY = ("register", "code", "number", "addendum")
    AGENCY = "agency"

    register: Register = Field()
    code: RegisterCode
    number: KeyText
    addendum: Addendum
    fiscal_year: FiscalYear
    agency: AgencyCode
    name: Text
    value: Money
    domestic_value: Money | None = None
    small_business_value: Money | None = None
    kind: Text | None = None
    method: Text | None = None
    status: Text | None = None
    signed_at: Moment | None = None
    start_at: Moment | None = None
    end_at: Moment | None = None
    appointment_number: Text | None = None
    supplier_code: Text | None = None
    supplier_name: Text | None = None
    supplier_tax_number: Text | None = None
    supplier_form: Text | None = None
    scope_of_work: Text | None = None
    addendum_reason: Text | None = None
    institution: KeyText | None = None
    office: Text | None = None

    EXAMPLE: ClassVar = {
        "register": "nontender",
        "code": "10060496000",
        "number": "000.4/405/Sekre/2025",
        "addendum": 0,
        "fiscal_year": 2025,
        "agency": "2.17.0.00.0.00.17.0000",
        "name": "Pekerjaan Interior Gedung PLUT",
        "value": "35975100.00",
        "signed_at": "2025-02-24T00:00:00+07:00",
        "kind": "Lumsum",
    }
