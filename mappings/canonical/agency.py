"""Agency (OPD, organisasi perangkat daerah) and the spellings it is met under."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .fields import AgencyCode, KeyText, Text
from .model import Canonical


class Agency(Canonical):
    """``register`` is the key space: ``city`` for e-Budgeting's own list, ``rup`` for the national plan's.

    ``rup_id`` is the national plan's number of the agency. It joins nothing: the same number means another
    thing in other registers; ``code`` is what joins.
    """

    TYPE = "reference.agency"
    KEY = ("register", "code")
    AGENCY = "code"

    register: Literal["city", "rup"] = Field()
    code: AgencyCode
    name: Text
    rup_id: Annotated[int, Field(ge=0, le=2**53)] | None = None
    kind: Text | None = None
    status: Text | None = None
    institution: KeyText | None = None
    institution_name: Text | None = None
    aliases: Annotated[tuple[Text, ...], Field(strict=False)] | None = None

    EXAMPLE: ClassVar = {
        "register": "rup",
        "code": "1.02.0.00.0.00.02.0000",
        "name": "DINAS KESEHATAN",
        "rup_id": 60412,
        "status": "Aktif",
        "institution": "D107",
    }
