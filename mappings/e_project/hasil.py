"""Target form: the result (hasil pemilihan) of a tender or direct purchase as e-Project takes it."""

from typing import Any

from mappings.canonical import Award


def from_canonical(award: Award) -> dict[str, Any]:
    """JSON-ready; every field always, null where the record has none; ``register`` and ``kode`` are the key.

    The supplier's tax number stays here: a person's is a NIK, and planning needs only the name.
    """
    data = award.to_data()
    return {
        "register": award.register,
        "kode": award.code,
        "kode_paket": award.package_code,
        "kode_rup": data.get("rup_codes"),
        "tahun": award.fiscal_year,
        "kode_opd": award.agency,
        "nama": award.name,
        "status": award.status,
        "nilai_penawaran": data.get("bid_value"),
        "nilai_terkoreksi": data.get("corrected_value"),
        "nilai_negosiasi": data.get("negotiated_value"),
        "nilai_kontrak": data.get("contract_value"),
        "nilai_pdn": data.get("domestic_value"),
        "nilai_umk": data.get("small_business_value"),
        "kode_penyedia": award.supplier_code,
        "nama_penyedia": award.supplier_name,
        "tanggal_selesai": data.get("finished_at"),
    }
