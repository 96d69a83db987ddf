"""Order to start work (SPMK/SPP, surat perintah mulai kerja)."""

from typing import ClassVar

from pydantic import Field

from .fields import Addendum, AgencyCode, Date, FiscalYear, KeyText, Moment, RegisterCode, Text
from .model import Canonical
from .tender import Register


class Commencement(Canonical):
    """One order under one contract and addendum; ``duration`` is as written ("90 Hari Kalender")."""

    TYPE = "contract.commencement"
    KEY = ("register", "code", "contract_number", "number", "addendum")
    AGENCY = "agency"

    register: Register = Field()
    code: RegisterCode
    contract_number: KeyText
    number: KeyText
    addendum: Addendum
    fiscal_year: FiscalYear
    agency: AgencyCode
    name: Text
    method: Text | None = None
    ordered_at: Moment | None = None
    contract_signed_at: Moment | None = None
    work_start: Date | None = None
    work_end: Date | None = None
    duration: Text | None = None
    delivery_address: Text | None = None
    supplier_name: Text | None = None
    supplier_tax_number: Text | None = None
    contract_status: Text | None = None
    addendum_reason: Text | None = None
    institution: KeyText | None = None
    office: Text | None = None

    EXAMPLE: ClassVar = {
        "register": "nontender",
        "code": "10196758000",
        "contract_number": "000.3.2/ 2247 /2025/Dinkes",
        "number": "000.3.2/ 2248 /2025/Dinkes",
        "addendum": 0,
        "fiscal_year": 2025,
        "agency": "1.02.0.00.0.00.02.0000",
        "name": "Belanja Modal Bangunan Kesehatan",
        "work_start": "2025-07-03",
        "work_end": "2025-08-01",
        "duration": "30 hari kalender",
    }
