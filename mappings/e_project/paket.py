"""Feed ``paket``: work packages as e-Project's REST interface gives them; register ``e-project``."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from mappings.calendar_values import OptionalDay
from mappings.canonical import Package, subject_of
from mappings.canonical.fields import AccountCode, ActivityCode, RupCode
from mappings.plain_values import (
    Code,
    Opd,
    OptionalWhole,
    OptionalWords,
    Rupiah,
    Words,
    Year,
    read_code,
    read_digits,
)


class PackageKey(BaseModel):
    """``id`` is e-Project's own code of the package."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: Code


class Source(PackageKey):
    """A package as e-Project sends it; ``nilai`` is a decimal string such as ``"850000000.00"``."""

    nama: Words
    kode_opd: Opd
    tahun: Year
    nilai: Rupiah
    kode_sub_kegiatan: Annotated[ActivityCode | None, BeforeValidator(read_code)] = None
    kode_rekening: Annotated[AccountCode | None, BeforeValidator(read_code)] = None
    jenis: OptionalWords = None
    metode: OptionalWords = None
    status: OptionalWords = None
    rencana_pemilihan: OptionalDay = None
    rencana_kontrak: OptionalDay = None
    rencana_selesai: OptionalDay = None
    lokasi: OptionalWords = None
    kd_rup: Annotated[RupCode | None, BeforeValidator(read_digits)] = None
    revisi: OptionalWhole = None


def to_canonical(row: Mapping[str, Any]) -> Package:
    """Map one package; raises ``pydantic.ValidationError``."""
    source = Source.model_validate(row)
    return Package(
        **_key(source),
        fiscal_year=source.tahun,
        agency=source.kode_opd,
        activity=source.kode_sub_kegiatan,
        account=source.kode_rekening,
        name=source.nama,
        value=source.nilai,
        category=source.jenis,
        method=source.metode,
        status=source.status,
        selection_start=source.rencana_pemilihan,
        contract_start=source.rencana_kontrak,
        completion=source.rencana_selesai,
        location=source.lokasi,
        rup_code=source.kd_rup,
        revision=source.revisi,
    )


def scope(row: Mapping[str, Any]) -> tuple[str, ...] | None:  # noqa: ARG001  # every feed module has this function
    """None: packages come as changes, page by page, so a missing one is not a deletion."""
    return None


def record_key(row: Mapping[str, Any]) -> str | None:
    """The record's subject if ``id`` can be read, whatever the other fields hold."""
    try:
        fields = _key(PackageKey.model_validate(row))
    except ValueError:
        return None
    return subject_of(fields[name] for name in Package.KEY)


def event_date(row: Mapping[str, Any]) -> str:  # noqa: ARG001  # every feed module has this function
    """Empty: an answer holds one state of each package; ``revisi`` is its version."""
    return ""


def _key(columns: PackageKey) -> dict[str, Any]:
    return {"register": "e-project", "code": columns.id}
