"""Feed ``nontender-sppbj`` (SPSE-NonTenderEkontrak-SPPBJ): letters that appoint a supplier."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from mappings.calendar_values import OptionalMoment
from mappings.canonical import Appointment
from mappings.plain_values import AddendumVersion, DocumentNumber, OptionalRupiah, Rupiah, read_whole_number

from .isb_rows import NonTenderCode, PaperColumns, subject_from
from .isb_snapshot import event_date
from .isb_snapshot import institution_and_year as scope

__all__ = ["Source", "event_date", "record_key", "scope", "to_canonical"]


OptionalDays = Annotated[Annotated[int, Field(ge=0, le=100_000)] | None, BeforeValidator(read_whole_number)]


class LetterKey(NonTenderCode):
    """One letter may be written anew for an addendum."""

    no_sppbj: DocumentNumber
    versi_addendum: AddendumVersion


class Source(LetterKey, PaperColumns):
    """A row as the feed has it."""

    harga_final: Rupiah
    tgl_sppbj: OptionalMoment = None
    nilai_jaminan_pelaksanaan: OptionalRupiah = None
    masa_berlaku_jaminan: OptionalDays = None


def to_canonical(row: Mapping[str, Any]) -> Appointment:
    """Map one row; raises ``pydantic.ValidationError``."""
    source = Source.model_validate(row)
    return Appointment(
        **_key(source),
        fiscal_year=source.tahun_anggaran,
        agency=source.kd_satker_str,
        name=source.nama_paket,
        method=source.mtd_pengadaan,
        appointed_at=source.tgl_sppbj,
        final_price=source.harga_final,
        bond_value=source.nilai_jaminan_pelaksanaan,
        bond_days=source.masa_berlaku_jaminan,
        supplier_name=source.nama_penyedia,
        supplier_tax_number=source.tax_number,
        contract_status=source.status_kontrak,
        addendum_reason=source.alasan_addendum,
        institution=source.kd_klpd,
        office=source.nama_satker,
    )


def record_key(row: Mapping[str, Any]) -> str | None:
    """The record's subject if the key columns can be read, whatever the others hold."""
    return subject_from(row, LetterKey, Appointment, _key)


def _key(columns: LetterKey) -> dict[str, Any]:
    return {
        "register": "nontender",
        "code": columns.kd_nontender,
        "number": columns.no_sppbj,
        "addendum": columns.versi_addendum,
    }
