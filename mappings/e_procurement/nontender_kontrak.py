"""Feed ``nontender-kontrak`` (SPSE-NonTenderEkontrak-Kontrak): contracts of direct purchases and their addenda."""

from collections.abc import Mapping
from typing import Any

from mappings.calendar_values import OptionalMoment
from mappings.canonical import Contract
from mappings.plain_values import (
    AddendumVersion,
    DocumentNumber,
    OptionalDocumentNumber,
    OptionalRupiah,
    OptionalWords,
    Rupiah,
)

from .isb_rows import NonTenderCode, PaperColumns, subject_from
from .isb_snapshot import event_date
from .isb_snapshot import institution_and_year as scope

__all__ = ["Source", "event_date", "record_key", "scope", "to_canonical"]


class ContractKey(NonTenderCode):
    """``no_kontrak`` is typed by hand and repeats across packages: a key only together with the package."""

    no_kontrak: DocumentNumber
    versi_addendum: AddendumVersion


class Source(ContractKey, PaperColumns):
    """A row as the feed has it, without the supplier's bank account and the signatories."""

    nilai_kontrak: Rupiah
    nilai_pdn_kontrak: OptionalRupiah = None
    nilai_umk_kontrak: OptionalRupiah = None
    jenis_kontrak: OptionalWords = None
    tgl_kontrak: OptionalMoment = None
    tgl_kontrak_awal: OptionalMoment = None
    tgl_kontrak_akhir: OptionalMoment = None
    no_sppbj: OptionalDocumentNumber = None
    bentuk_usaha_penyedia: OptionalWords = None
    lingkup_pekerjaan: OptionalWords = None


def to_canonical(row: Mapping[str, Any]) -> Contract:
    """Map one row; raises ``pydantic.ValidationError``. HTML in ``lingkup_pekerjaan`` stays as it is."""
    source = Source.model_validate(row)
    return Contract(
        **_key(source),
        fiscal_year=source.tahun_anggaran,
        agency=source.kd_satker_str,
        name=source.nama_paket,
        value=source.nilai_kontrak,
        domestic_value=source.nilai_pdn_kontrak,
        small_business_value=source.nilai_umk_kontrak,
        kind=source.jenis_kontrak,
        method=source.mtd_pengadaan,
        status=source.status_kontrak,
        signed_at=source.tgl_kontrak,
        start_at=source.tgl_kontrak_awal,
        end_at=source.tgl_kontrak_akhir,
        appointment_number=source.no_sppbj,
        supplier_name=source.nama_penyedia,
        supplier_tax_number=source.tax_number,
        supplier_form=source.bentuk_usaha_penyedia,
        scope_of_work=source.lingkup_pekerjaan,
        addendum_reason=source.alasan_addendum,
        institution=source.kd_klpd,
        office=source.nama_satker,
    )


def record_key(row: Mapping[str, Any]) -> str | None:
    """The record's subject if the key columns can be read, whatever the others hold."""
    return subject_from(row, ContractKey, Contract, _key)


def _key(columns: ContractKey) -> dict[str, Any]:
    return {
        "register": "nontender",
        "code": columns.kd_nontender,
        "number": columns.no_kontrak,
        "addendum": columns.versi_addendum,
    }
