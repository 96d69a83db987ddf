"""The national register's snapshots in the demo: authored rows of a small direct-purchase year, seeded.

The chain narrows as the real one does: announced, done, appointed, contracted, started, handed over. One row is
bad, as in the real feeds, and one contract has an addendum.
"""

from __future__ import annotations

import json
import random
from typing import Any

PACKAGES = 40
YEAR = 2026
_INSTITUTION = {"tahun_anggaran": YEAR, "kd_klpd": "D999", "nama_klpd": "Kota Contoh", "jenis_klpd": "KOTA"}
_OFFICES = (
    ("1.01.0.00.0.00.01.0000", "DINAS PENDIDIKAN"),
    ("1.02.0.00.0.00.02.0000", "DINAS KESEHATAN"),
    ("2.09.3.27.0.00.11.0000", "DINAS KETAHANAN PANGAN DAN PERTANIAN"),
)
_STEPS = {
    "nontender-pengumuman": 40,
    "nontender-selesai": 31,
    "nontender-sppbj": 24,
    "nontender-kontrak": 20,
    "nontender-spmk": 18,
    "nontender-bast": 9,
}
"""How many of the packages have come to each step."""


def snapshots() -> dict[str, bytes]:
    """The six files, by feed."""
    dice = random.Random(YEAR)  # noqa: S311 - a repeatable year, no secret
    packages = [_package(number, dice) for number in range(PACKAGES)]
    return {
        feed: json.dumps([row for one in packages[:count] for row in _rows(feed, one)], ensure_ascii=False).encode()
        for feed, count in _STEPS.items()
    }


def _package(number: int, dice: random.Random) -> dict[str, Any]:
    office = _OFFICES[number % len(_OFFICES)]
    ceiling = dice.randrange(10, 200) * 1_000_000 + dice.randrange(100) * 1000
    # The last announced row has lost its agency code: it must become a rejection, not stop the others.
    code = "01" if number == PACKAGES - 1 else office[0]
    return {
        "number": number,
        "code": 10_500_000_000 + number * 1000,
        "base": {**_INSTITUTION, "kd_satker_str": code, "nama_satker": office[1]},
        "name": f"Belanja Jasa Contoh {number + 1}",
        "ceiling": ceiling,
        "price": ceiling * 97 // 100,
    }


def _rows(feed: str, one: dict[str, Any]) -> list[dict[str, Any]]:
    base = {**one["base"], "kd_nontender": one["code"], "nama_paket": one["name"]}
    papers = _papers(one["number"])
    if feed == "nontender-pengumuman":
        return [base | _announced(one)]
    if feed == "nontender-selesai":
        return [base | _announced(one) | _done(one)]
    if feed == "nontender-sppbj":
        return [base | papers | {"tgl_sppbj": _day(3), "harga_final": one["price"], "versi_addendum": 0}]
    if feed == "nontender-kontrak":
        contract = base | papers | {"tgl_kontrak": _day(3), "nilai_kontrak": one["price"], "jenis_kontrak": "Lumsum"}
        versions = (0, 1) if one["number"] == 3 else (0,)
        return [contract | {"versi_addendum": version} for version in versions]
    if feed == "nontender-spmk":
        start = {"tgl_spmk_spp": _day(4), "tgl_mulai_pekerjaan": "Apr 1, 2026, 12:00:00AM"}
        return [base | papers | start | {"waktu_penyelesaian": "30 Hari Kalender", "versi_addendum": 0}]
    handed = {"tgl_bap": _day(5), "tgl_bast": _day(5), "besar_pembayaran": one["price"], "progres_pekerjaan": 100}
    return [base | papers | handed | {"nilai_kontrak": one["price"], "versi_addendum": 0}]


def _announced(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "kd_rup": str(59_000_000 + one["number"]),
        "pagu": one["ceiling"],
        "hps": one["ceiling"] * 99 / 100,
        "sumber_dana": "APBD",
        "jenis_pengadaan": "Jasa Lainnya",
        "mtd_pemilihan": "Pengadaan Langsung",
        "status_nontender": "Selesai",
        "versi_nontender": 1,
        "tgl_pengumuman_nontender": "2026-02-02 08:00:00",
    }


def _done(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "nilai_penawaran": one["price"],
        "nilai_kontrak": one["price"],
        "kd_penyedia": 700_000 + one["number"],
        "nama_penyedia": f"CV CONTOH {one['number'] + 1}",
        "tgl_selesai_nontender": "2026-02-20 16:00:00",
    }


def _papers(number: int) -> dict[str, Any]:
    return {
        "no_sppbj": f"027/{number:03d}/SPPBJ/{YEAR}",
        "no_kontrak": f"027/ {number:03d} /SPK/{YEAR}",
        "no_spmk_spp": f"027/{number:03d}/SPMK/{YEAR}",
        "no_bap": f"027/{number:03d}/BAP/{YEAR}",
        "no_bast": f"027/{number:03d}/BAST/{YEAR}",
    }


def _day(month: int) -> str:
    return f"{YEAR}-{month:02d}-02T00:00:00.000000Z"
