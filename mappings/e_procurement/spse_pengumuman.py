"""Feed ``spse-pengumuman``: announcements of the city's own SPSE, fetched over SOAP; register ``spse``."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from mappings.calendar_values import read_moment
from mappings.canonical import Tender, subject_of
from mappings.canonical.fields import Moment
from mappings.plain_values import Code, Opd, OptionalRupiah, OptionalVersion, OptionalWords, Rupiah, Words, Year

from .isb_rows import RupCodes


def read_xml_moment(value: Any) -> datetime | None:
    """``xs:dateTime``: here, unlike in the ISB feeds, ``Z`` is UTC as XML Schema says; no zone at all is WIB."""
    if isinstance(value, str) and value.strip().endswith("Z"):
        return read_moment(value.strip()[:-1] + "+00:00")
    return read_moment(value)


class AnnouncementKey(BaseModel):
    """``kodePaket`` is the SPSE's own number of the announcement."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    kodePaket: Code  # noqa: N815  # the names of the SOAP elements


class Source(AnnouncementKey):
    """An announcement as the SOAP answer has it; absent and empty elements are the same."""

    namaPaket: Words  # noqa: N815
    kodeOpd: Opd  # noqa: N815
    tahunAnggaran: Year  # noqa: N815
    pagu: Rupiah
    hps: OptionalRupiah = None
    kodeRup: RupCodes = None  # noqa: N815
    kodePaketEProject: OptionalWords = None  # noqa: N815
    metode: OptionalWords = None
    jenis: OptionalWords = None
    status: OptionalWords = None
    versi: OptionalVersion = None
    tanggalPengumuman: Annotated[Moment | None, BeforeValidator(read_xml_moment)] = None  # noqa: N815


def to_canonical(row: Mapping[str, Any]) -> Tender:
    """Map one announcement; raises ``pydantic.ValidationError``."""
    source = Source.model_validate(row)
    return Tender(
        **_key(source),
        fiscal_year=source.tahunAnggaran,
        agency=source.kodeOpd,
        name=source.namaPaket,
        ceiling=source.pagu,
        estimate=source.hps,
        status=source.status,
        announcement_version=source.versi,
        category=source.jenis,
        method=source.metode,
        rup_codes=source.kodeRup,
        package_code=source.kodePaketEProject,
        announced_at=source.tanggalPengumuman,
    )


def scope(row: Mapping[str, Any]) -> tuple[str, ...] | None:  # noqa: ARG001  # every feed module has this function
    """None: answers are pages of announcements, never a whole list, so a missing one is not a deletion."""
    return None


def record_key(row: Mapping[str, Any]) -> str | None:
    """The record's subject if ``kodePaket`` can be read, whatever the other elements hold."""
    try:
        fields = _key(AnnouncementKey.model_validate(row))
    except ValueError:
        return None
    return subject_of(fields[name] for name in Tender.KEY)


def event_date(row: Mapping[str, Any]) -> str:  # noqa: ARG001  # every feed module has this function
    """Empty: an answer holds one state of each announcement."""
    return ""


def _key(columns: AnnouncementKey) -> dict[str, Any]:
    return {"register": "spse", "code": columns.kodePaket}
