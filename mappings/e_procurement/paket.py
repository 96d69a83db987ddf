"""Target form: a work package as the SOAP operation ``SimpanPaket`` of e-Procurement takes it."""

from typing import Any

from mappings.canonical import Package


def from_canonical(package: Package) -> dict[str, Any]:
    """The elements of ``SimpanPaket`` by name; every one always, None where the record has no value.

    ``nilai`` is an ``xs:decimal`` as text with two decimals, ``rencanaPemilihan`` an ``xs:date`` as text.
    """
    data = package.to_data()
    return {
        "kodePaket": package.code,
        "kodeRup": package.rup_code,
        "namaPaket": package.name,
        "kodeOpd": package.agency,
        "tahunAnggaran": package.fiscal_year,
        "kodeSubKegiatan": package.activity,
        "kodeRekening": package.account,
        "nilai": data["value"],
        "jenis": package.category,
        "metode": package.method,
        "rencanaPemilihan": data.get("selection_start"),
        "status": package.status,
    }
