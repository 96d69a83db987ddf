"""Feed ``nontender-spmk`` (SPSE-NonTenderEkontrak-SPMKSPP): orders to start work or to deliver."""

from collections.abc import Mapping
from typing import Any

from mappings.calendar_values import OptionalDay, OptionalMoment
from mappings.canonical import Commencement
from mappings.plain_values import AddendumVersion, DocumentNumber, OptionalWords

from .isb_rows import NonTenderCode, PaperColumns, subject_from
from .isb_snapshot import event_date
from .isb_snapshot import institution_and_year as scope

__all__ = ["Source", "event_date", "record_key", "scope", "to_canonical"]


class OrderKey(NonTenderCode):
    """An order stands under one contract and addendum."""

    no_kontrak: DocumentNumber
    no_spmk_spp: DocumentNumber
    versi_addendum: AddendumVersion


class Source(OrderKey, PaperColumns):
    """A row as the feed has it. Start and end come as ``Sep 22, 2025, 12:00:00AM`` and mean days."""

    tgl_spmk_spp: OptionalMoment = None
    tgl_kontrak: OptionalMoment = None
    tgl_mulai_pekerjaan: OptionalDay = None
    tgl_selesai_pekerjaan: OptionalDay = None
    waktu_penyelesaian: OptionalWords = None
    alamat_pengiriman: OptionalWords = None


def to_canonical(row: Mapping[str, Any]) -> Commencement:
    """Map one row; raises ``pydantic.ValidationError``."""
    source = Source.model_validate(row)
    return Commencement(
        **_key(source),
        fiscal_year=source.tahun_anggaran,
        agency=source.kd_satker_str,
        name=source.nama_paket,
        method=source.mtd_pengadaan,
        ordered_at=source.tgl_spmk_spp,
        contract_signed_at=source.tgl_kontrak,
        work_start=source.tgl_mulai_pekerjaan,
        work_end=source.tgl_selesai_pekerjaan,
        duration=source.waktu_penyelesaian,
        delivery_address=source.alamat_pengiriman,
        supplier_name=source.nama_penyedia,
        supplier_tax_number=source.tax_number,
        contract_status=source.status_kontrak,
        addendum_reason=source.alasan_addendum,
        institution=source.kd_klpd,
        office=source.nama_satker,
    )


def record_key(row: Mapping[str, Any]) -> str | None:
    """The record's subject if the key columns can be read, whatever the others hold."""
    return subject_from(row, OrderKey, Commencement, _key)


def _key(columns: OrderKey) -> dict[str, Any]:
    return {
        "register": "nontender",
        "code": columns.kd_nontender,
        "contract_number": columns.no_kontrak,
        "number": columns.no_spmk_spp,
        "addendum": columns.versi_addendum,
    }
