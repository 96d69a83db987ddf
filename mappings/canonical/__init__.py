"""The canonical models, one file each. ``MODELS`` is the complete list; nothing is registered by import magic."""

from .agency import Agency
from .appointment import Appointment
from .award import Award
from .budget_document_line import BudgetDocumentLine
from .budget_line import BudgetLine
from .commencement import Commencement
from .contract import Contract
from .handover import Handover
from .model import Canonical, subject_of
from .package import Package
from .tender import Tender

MODELS: tuple[type[Canonical], ...] = (
    Agency,
    BudgetLine,
    BudgetDocumentLine,
    Package,
    Tender,
    Award,
    Appointment,
    Contract,
    Commencement,
    Handover,
)

__all__ = [
    "MODELS",
    "Agency",
    "Appointment",
    "Award",
    "BudgetDocumentLine",
    "BudgetLine",
    "Canonical",
    "Commencement",
    "Contract",
    "Handover",
    "Package",
    "Tender",
    "subject_of",
]
