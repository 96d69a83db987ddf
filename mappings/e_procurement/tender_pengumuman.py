"""Feed ``tender-pengumuman`` (SPSE-TenderPengumuman): announced tenders and selections (seleksi)."""

from collections.abc import Mapping
from typing import Any

from mappings.calendar_values import OptionalMoment
from mappings.canonical import Tender
from mappings.plain_values import Digits, OptionalRupiah, OptionalVersion, OptionalWords, Rupiah, Words

from .isb_rows import BudgetCodes, OwnerColumns, Row, RupCodes, subject_from
from .isb_snapshot import event_date
from .isb_snapshot import institution_and_year as scope

__all__ = ["Source", "event_date", "record_key", "scope", "to_canonical"]


class TenderCode(Row):
    """Code of a tender in the national register; a re-tender keeps it."""

    kd_tender: Digits


class Source(TenderCode, OwnerColumns):
    """A row as the feed has it. City-owned companies (BUMD) have no agency code: their rows are refused."""

    nama_paket: Words
    pagu: Rupiah
    hps: OptionalRupiah = None
    status_tender: OptionalWords = None
    versi_tender: OptionalVersion = None
    jenis_pengadaan: OptionalWords = None
    mtd_pemilihan: OptionalWords = None
    kontrak_pembayaran: OptionalWords = None
    kualifikasi_paket: OptionalWords = None
    sumber_dana: OptionalWords = None
    kd_rup: RupCodes = None
    mak: BudgetCodes = None
    tgl_buat_paket: OptionalMoment = None
    tgl_pengumuman_tender: OptionalMoment = None
    lokasi_pekerjaan: OptionalWords = None
    ket_diulang: OptionalWords = None
    ket_ditutup: OptionalWords = None
    url_lpse: OptionalWords = None


def to_canonical(row: Mapping[str, Any]) -> Tender:
    """Map one row; raises ``pydantic.ValidationError``."""
    source = Source.model_validate(row)
    return Tender(
        **_key(source),
        fiscal_year=source.tahun_anggaran,
        agency=source.kd_satker_str,
        name=source.nama_paket,
        ceiling=source.pagu,
        estimate=source.hps,
        status=source.status_tender,
        announcement_version=source.versi_tender,
        category=source.jenis_pengadaan,
        method=source.mtd_pemilihan,
        contract_kind=source.kontrak_pembayaran,
        qualification=source.kualifikasi_paket,
        fund_source=source.sumber_dana,
        rup_codes=source.kd_rup,
        budget_codes=source.mak,
        institution=source.kd_klpd,
        office=source.nama_satker,
        created_at=source.tgl_buat_paket,
        announced_at=source.tgl_pengumuman_tender,
        location=source.lokasi_pekerjaan,
        repeat_reason=source.ket_diulang,
        closing_reason=source.ket_ditutup,
        url=source.url_lpse,
    )


def record_key(row: Mapping[str, Any]) -> str | None:
    """The record's subject if the key columns can be read, whatever the others hold."""
    return subject_from(row, TenderCode, Tender, _key)


def _key(columns: TenderCode) -> dict[str, Any]:
    return {"register": "tender", "code": columns.kd_tender}
