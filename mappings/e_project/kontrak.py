"""Target form: a contract (kontrak) or one of its addenda as e-Project takes it."""

from typing import Any

from mappings.canonical import Contract


def from_canonical(contract: Contract) -> dict[str, Any]:
    """JSON-ready; every field always, null where the record has none; the first four fields are the key.

    The supplier's tax number stays here: a person's is a NIK, and planning needs only the name.
    """
    data = contract.to_data()
    return {
        "register": contract.register,
        "kode": contract.code,
        "nomor_kontrak": contract.number,
        "adendum": contract.addendum,
        "tahun": contract.fiscal_year,
        "kode_opd": contract.agency,
        "nama": contract.name,
        "nilai": data["value"],
        "nilai_pdn": data.get("domestic_value"),
        "nilai_umk": data.get("small_business_value"),
        "jenis_kontrak": contract.kind,
        "status": contract.status,
        "tanggal_kontrak": data.get("signed_at"),
        "tanggal_mulai": data.get("start_at"),
        "tanggal_selesai": data.get("end_at"),
        "nomor_sppbj": contract.appointment_number,
        "nama_penyedia": contract.supplier_name,
        "bentuk_usaha": contract.supplier_form,
        "lingkup_pekerjaan": contract.scope_of_work,
        "alasan_adendum": contract.addendum_reason,
    }
