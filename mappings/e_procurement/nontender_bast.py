"""Feed ``nontender-bast`` (SPSE-NonTenderEkontrak-BAPBAST): minutes of inspection and handover, with payments."""

from collections.abc import Mapping
from typing import Any

from mappings.calendar_values import OptionalDay, OptionalMoment
from mappings.canonical import Handover
from mappings.plain_values import (
    AddendumVersion,
    DocumentNumber,
    OptionalDocumentNumber,
    OptionalQuantity,
    OptionalRupiah,
    OptionalWords,
    Rupiah,
)

from .isb_rows import NonTenderCode, PaperColumns, subject_from
from .isb_snapshot import event_date
from .isb_snapshot import institution_and_year as scope

__all__ = ["Source", "event_date", "record_key", "scope", "to_canonical"]


class MinutesKey(NonTenderCode):
    """A contract has many minutes, a number such as ``-`` names none of them: it takes all of these together."""

    no_kontrak: DocumentNumber
    versi_addendum: AddendumVersion
    no_bap: OptionalDocumentNumber = None
    no_bast: OptionalDocumentNumber = None
    tgl_bap: OptionalDay = None


class Source(MinutesKey, PaperColumns):
    """A row as the feed has it; the same minutes come again with each ``_event_date``."""

    besar_pembayaran: Rupiah
    nilai_kontrak: OptionalRupiah = None
    tgl_bast: OptionalDay = None
    tgl_kontrak: OptionalMoment = None
    progres_pekerjaan: OptionalQuantity = None
    cara_pembayaran_kontrak: OptionalWords = None
    no_sppbj: OptionalDocumentNumber = None


def to_canonical(row: Mapping[str, Any]) -> Handover:
    """Map one row; raises ``pydantic.ValidationError``."""
    source = Source.model_validate(row)
    return Handover(
        **_key(source),
        fiscal_year=source.tahun_anggaran,
        agency=source.kd_satker_str,
        name=source.nama_paket,
        method=source.mtd_pengadaan,
        bast_date=source.tgl_bast,
        contract_value=source.nilai_kontrak,
        payment=source.besar_pembayaran,
        progress_percent=source.progres_pekerjaan,
        payment_method=source.cara_pembayaran_kontrak,
        contract_signed_at=source.tgl_kontrak,
        appointment_number=source.no_sppbj,
        supplier_name=source.nama_penyedia,
        supplier_tax_number=source.tax_number,
        contract_status=source.status_kontrak,
        institution=source.kd_klpd,
        office=source.nama_satker,
    )


def record_key(row: Mapping[str, Any]) -> str | None:
    """The record's subject if the key columns can be read, whatever the others hold."""
    return subject_from(row, MinutesKey, Handover, _key)


def _key(columns: MinutesKey) -> dict[str, Any]:
    return {
        "register": "nontender",
        "code": columns.kd_nontender,
        "contract_number": columns.no_kontrak,
        "addendum": columns.versi_addendum,
        "bap_number": columns.no_bap,
        "bast_number": columns.no_bast,
        "bap_date": columns.tgl_bap,
    }
