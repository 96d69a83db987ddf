"""Minutes of inspection and handover (BAP/BAST, berita acara), with the payment they carry."""

from typing import ClassVar

from pydantic import Field

from .fields import (
    Addendum,
    AgencyCode,
    Date,
    FiscalYear,
    KeyText,
    Moment,
    Money,
    Quantity,
    RegisterCode,
    Text,
)
from .model import Canonical
from .tender import Register


class Handover(Canonical):
    """Key: package, contract, addendum, BAP, BAST and BAP date (423 in the national feed this was measured on)."""

    TYPE = "contract.handover"
    KEY = ("register", "code", "contract_number", "addendum", "bap_number", "bast_number", "bap_date")
    AGENCY = "agency"

    register: Register = Field()
    code: RegisterCode
    contract_number: KeyText
    addendum: Addendum
    bap_number: KeyText | None = None
    bast_number: KeyText | None = None
    bap_date: Date | None = None
    bast_date: Date | None = None
    fiscal_year: FiscalYear
    agency: AgencyCode
    name: Text
    method: Text | None = None
    contract_value: Money | None = None
    payment: Money
    progress_percent: Quantity | None = None
    payment_method: Text | None = None
    contract_signed_at: Moment | None = None
    appointment_number: Text | None = None
    supplier_name: Text | None = None
    supplier_tax_number: Text | None = None
    contract_status: Text | None = None
    institution: KeyText | None = None
    office: Text | None = None

    EXAMPLE: ClassVar = {
        "register": "nontender",
        "code": "10074293000",
        "contract_number": "Print.07/ SPK/Sekre.Disnaker/2025",
        "addendum": 0,
        "bap_number": "027 / 07 /BA-Pemb/ SEKRE.Disnaker/2025",
        "bast_number": "027 / 07 / BA- STHP / SEKRE.DISNAKER / 2025",
        "bap_date": "2025-03-17",
        "bast_date": "2025-03-17",
        "fiscal_year": 2025,
        "agency": "2.07.3.32.0.00.09.0000",
        "name": "Belanja ATK, Kertas dan Bahan Komputer",
        "payment": "29512500.00",
        "progress_percent": "100",
    }
