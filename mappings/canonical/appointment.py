"""Letter of appointment (SPPBJ, surat penunjukan penyedia barang/jasa)."""

from typing import Annotated, ClassVar

from pydantic import Field

from .fields import Addendum, AgencyCode, FiscalYear, KeyText, Moment, Money, RegisterCode, Text
from .model import Canonical
from .tender import Register


class Appointment(Canonical):
    """``final_price`` (harga final) is what the supplier is appointed at."""

    TYPE = "contract.appointment"
    KEY = ("register", "code", "number", "addendum")
    AGENCY = "agency"

    register: Register = Field()
    code: RegisterCode
    number: KeyText
    addendum: Addendum
    fiscal_year: FiscalYear
    agency: AgencyCode
    name: Text
    method: Text | None = None
    appointed_at: Moment | None = None
    final_price: Money
    bond_value: Money | None = None
    bond_days: Annotated[int, Field(ge=0, le=100_000)] | None = None
    supplier_name: Text | None = None
    supplier_tax_number: Text | None = None
    contract_status: Text | None = None
    addendum_reason: Text | None = None
    institution: KeyText | None = None
    office: Text | None = None

    EXAMPLE: ClassVar = {
        "register": "nontender",
        "code": "10043893000",
        "number": "000.3.2/288/SPPBJ/DISPAKAN",
        "addendum": 0,
        "fiscal_year": 2025,
        "agency": "2.09.3.25.0.00.10.0000",
        "name": "Belanja Jasa Tenaga Ahli",
        "appointed_at": "2025-02-03T00:00:00+07:00",
        "final_price": "72897000.00",
    }
