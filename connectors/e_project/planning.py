"""How the simulated e-Project plans: a budget line becomes a package for a share of it. Imports nothing of the hub."""

from __future__ import annotations

import hashlib
from decimal import ROUND_DOWN, Decimal
from typing import Any
from urllib.parse import unquote

from connectors.kit.change_log import ChangeLog

DIRECT_UP_TO = Decimal(200_000_000)
"""Rupiah: pengadaan langsung up to here, a tender above (Perpres 12/2021 art. 38)."""

_KINDS = ("Pengadaan Barang", "Pekerjaan Konstruksi", "Jasa Lainnya", "Jasa Konsultansi")
_PLACES = ("Surabaya Pusat", "Surabaya Timur", "Surabaya Barat", "Surabaya Utara", "Surabaya Selatan")


class Planning:
    """Packages by id, and the order of their last change. The same lines and seed give the same packages."""

    def __init__(self, seed: str = "") -> None:
        self.log = ChangeLog()
        self.packages = self.log.records
        self._seed = seed

    def line_changed(self, key: str, line: dict[str, Any] | None) -> None:
        """A budget line came, changed, or went (None): its package follows. A line without money has none."""
        tahun, opd, sub_kegiatan, rekening = map(unquote, key.split(":"))
        digest = hashlib.sha256(f"{self._seed}:{key}".encode()).digest()
        number = int.from_bytes(digest[:8], "big")
        id = f"PKT-{tahun}-{number % 10**12:012d}"
        before = self.packages.get(id)
        pagu = Decimal(str((line or {}).get("pagu") or 0))
        if line is None or pagu <= 0:
            if before is not None and before["status"] != "dibatalkan":
                self._change(id, before | {"status": "dibatalkan"})
            return
        value = (pagu * (25 + digest[8] % 76) / 100).quantize(Decimal("0.01"), ROUND_DOWN)
        start = 1 + digest[9] % 6
        self._change(
            id,
            {
                "id": id,
                "nama": f"Paket {line.get('uraian') or line.get('nama_rekening') or rekening}"[:500],
                "kode_opd": opd,
                "tahun": int(tahun),
                "nilai": f"{value:.2f}",
                "kode_sub_kegiatan": sub_kegiatan,
                "kode_rekening": rekening,
                "jenis": _KINDS[digest[10] % len(_KINDS)],
                "metode": "Pengadaan Langsung" if value <= DIRECT_UP_TO else "Tender",
                "status": "disetujui",
                "rencana_pemilihan": f"{tahun}-{start:02d}-{1 + digest[11] % 28:02d}",
                "rencana_kontrak": f"{tahun}-{start + 2:02d}-01",
                "rencana_selesai": f"{tahun}-{min(12, start + 6):02d}-15",
                "lokasi": _PLACES[digest[12] % len(_PLACES)],
                "kd_rup": f"{10**9 + number % 10**9}",
            },
        )

    def _change(self, id: str, package: dict[str, Any]) -> None:
        before = self.packages.get(id)
        if before is not None and before | {"revisi": 0} == package | {"revisi": 0}:
            return
        self.log.put(id, package | {"revisi": before["revisi"] + 1 if before else 0})
