"""Feed ``nontender-pengumuman`` (SPSE-NonTenderPengumuman): announced direct purchases."""

from collections.abc import Mapping
from typing import Any

from mappings.calendar_values import OptionalMoment
from mappings.canonical import Tender
from mappings.plain_values import OptionalRupiah, OptionalVersion, OptionalWords, Rupiah, Words

from .isb_rows import BudgetCodes, NonTenderCode, OwnerColumns, RupCodes, subject_from
from .isb_snapshot import event_date
from .isb_snapshot import institution_and_year as scope

__all__ = ["Source", "event_date", "record_key", "scope", "to_canonical"]


class Source(NonTenderCode, OwnerColumns):
    """A row as the feed has it; ``kd_pkt_dce`` is SPSE's inner number and joins nothing outside it."""

    nama_paket: Words
    pagu: Rupiah
    hps: OptionalRupiah = None
    status_nontender: OptionalWords = None
    versi_nontender: OptionalVersion = None
    jenis_pengadaan: OptionalWords = None
    mtd_pemilihan: OptionalWords = None
    kontrak_pembayaran: OptionalWords = None
    kualifikasi_paket: OptionalWords = None
    sumber_dana: OptionalWords = None
    kd_rup: RupCodes = None
    mak: BudgetCodes = None
    tgl_buat_paket: OptionalMoment = None
    tgl_pengumuman_nontender: OptionalMoment = None
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
        status=source.status_nontender,
        announcement_version=source.versi_nontender,
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
        announced_at=source.tgl_pengumuman_nontender,
        repeat_reason=source.ket_diulang,
        closing_reason=source.ket_ditutup,
        url=source.url_lpse,
    )


def record_key(row: Mapping[str, Any]) -> str | None:
    """The record's subject if the key columns can be read, whatever the others hold."""
    return subject_from(row, NonTenderCode, Tender, _key)


def _key(columns: NonTenderCode) -> dict[str, Any]:
    return {"register": "nontender", "code": columns.kd_nontender}
