"""Feed ``nontender-selesai`` (SPSE-NonTenderSelesai): results of direct purchases."""

from collections.abc import Mapping
from typing import Any

from mappings.calendar_values import OptionalMoment
from mappings.canonical import Award
from mappings.plain_values import OptionalDigits, OptionalRupiah, OptionalWords, Words

from .isb_rows import BudgetCodes, NonTenderCode, OwnerColumns, RupCodes, SupplierColumns, subject_from
from .isb_snapshot import event_date
from .isb_snapshot import institution_and_year as scope

__all__ = ["Source", "event_date", "record_key", "scope", "to_canonical"]


class Source(NonTenderCode, OwnerColumns, SupplierColumns):
    """A row as the feed has it; ``tgl_penarikan`` (the day of the pull) is no part of the record."""

    nama_paket: Words
    pagu: OptionalRupiah = None
    hps: OptionalRupiah = None
    nilai_penawaran: OptionalRupiah = None
    nilai_terkoreksi: OptionalRupiah = None
    nilai_negosiasi: OptionalRupiah = None
    nilai_kontrak: OptionalRupiah = None
    nilai_pdn_kontrak: OptionalRupiah = None
    nilai_umk_kontrak: OptionalRupiah = None
    status_nontender: OptionalWords = None
    kd_penyedia: OptionalDigits = None
    jenis_pengadaan: OptionalWords = None
    mtd_pemilihan: OptionalWords = None
    kontrak_pembayaran: OptionalWords = None
    kualifikasi_paket: OptionalWords = None
    sumber_dana: OptionalWords = None
    kd_rup: RupCodes = None
    mak: BudgetCodes = None
    tgl_pengumuman_nontender: OptionalMoment = None
    tgl_selesai_nontender: OptionalMoment = None
    url_lpse: OptionalWords = None


def to_canonical(row: Mapping[str, Any]) -> Award:
    """Map one row; raises ``pydantic.ValidationError``."""
    source = Source.model_validate(row)
    return Award(
        **_key(source),
        fiscal_year=source.tahun_anggaran,
        agency=source.kd_satker_str,
        name=source.nama_paket,
        status=source.status_nontender,
        ceiling=source.pagu,
        estimate=source.hps,
        bid_value=source.nilai_penawaran,
        corrected_value=source.nilai_terkoreksi,
        negotiated_value=source.nilai_negosiasi,
        contract_value=source.nilai_kontrak,
        domestic_value=source.nilai_pdn_kontrak,
        small_business_value=source.nilai_umk_kontrak,
        supplier_code=source.kd_penyedia,
        supplier_name=source.nama_penyedia,
        supplier_tax_number=source.tax_number,
        category=source.jenis_pengadaan,
        method=source.mtd_pemilihan,
        contract_kind=source.kontrak_pembayaran,
        qualification=source.kualifikasi_paket,
        fund_source=source.sumber_dana,
        rup_codes=source.kd_rup,
        budget_codes=source.mak,
        institution=source.kd_klpd,
        office=source.nama_satker,
        announced_at=source.tgl_pengumuman_nontender,
        finished_at=source.tgl_selesai_nontender,
        url=source.url_lpse,
    )


def record_key(row: Mapping[str, Any]) -> str | None:
    """The record's subject if the key columns can be read, whatever the others hold."""
    return subject_from(row, NonTenderCode, Award, _key)


def _key(columns: NonTenderCode) -> dict[str, Any]:
    return {"register": "nontender", "code": columns.kd_nontender}
