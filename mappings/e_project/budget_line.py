"""Target form: a budget line (RKA/DPA) as e-Project takes it."""

from typing import Any

from mappings.canonical import BudgetLine


def from_canonical(line: BudgetLine) -> dict[str, Any]:
    """JSON-ready; every field always, null where the record has none, so that a value taken away is taken away there.

    Money is a decimal string with two decimals, ``volume`` a decimal string. Comparing what e-Project holds with
    the record means comparing it with this form.
    """
    data = line.to_data()
    return {
        "tahun": line.fiscal_year,
        "kode_opd": line.agency,
        "kode_sub_kegiatan": line.activity,
        "kode_rekening": line.account,
        "pagu": data["amount"],
        "pagu_sebelum": data.get("amount_before"),
        "uraian": line.description,
        "volume": data.get("volume"),
        "satuan": line.unit,
        "harga_satuan": data.get("unit_price"),
        "tahap": line.stage,
        "sumber_dana": line.fund_source,
        "nama_opd": line.agency_name,
        "nama_sub_kegiatan": line.activity_name,
        "nama_rekening": line.account_name,
    }
