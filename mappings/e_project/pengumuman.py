"""Target form: an announcement (pengumuman) as e-Project takes it."""

from typing import Any

from mappings.canonical import Tender


def from_canonical(tender: Tender) -> dict[str, Any]:
    """JSON-ready; every field always, null where the record has none; ``register`` and ``kode`` are the key.

    ``kode_paket`` is e-Project's own package, which only the city's own SPSE names; the national feeds link by
    ``kode_rup``.
    """
    data = tender.to_data()
    return {
        "register": tender.register,
        "kode": tender.code,
        "kode_paket": tender.package_code,
        "kode_rup": data.get("rup_codes"),
        "tahun": tender.fiscal_year,
        "kode_opd": tender.agency,
        "nama": tender.name,
        "pagu": data["ceiling"],
        "hps": data.get("estimate"),
        "jenis": tender.category,
        "metode": tender.method,
        "jenis_kontrak": tender.contract_kind,
        "sumber_dana": tender.fund_source,
        "status": tender.status,
        "versi": tender.announcement_version,
        "tanggal_pengumuman": data.get("announced_at"),
        "alasan_ulang": tender.repeat_reason,
        "alasan_tutup": tender.closing_reason,
        "tautan": tender.url,
    }
