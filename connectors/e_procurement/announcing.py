"""How the simulated SPSE announces: each package in turn, some of them twice. Imports nothing of the hub."""

from __future__ import annotations

import hashlib
from decimal import ROUND_DOWN, Decimal
from typing import Any

from connectors.kit.change_log import ChangeLog


class Announcing:
    """Announcements by SPSE's own code. The same packages and seed give the same announcements.

    One step at a time: :meth:`due` says whether a package's announcement is behind it, :meth:`step` brings it on.
    One package in eight fails at first and is tendered again, which raises ``versi`` under the same code.
    """

    def __init__(self, seed: str = "") -> None:
        self.log = ChangeLog()
        self.announcements = self.log.records
        self._seed = seed

    def code(self, package: str) -> str:
        return f"10{int.from_bytes(self._digest(package)[:8], 'big') % 10**9:09d}"

    def due(self, code: str, package: dict[str, Any] | None) -> bool:
        """Whether :meth:`step` would change anything; ``package`` is None where it was deleted."""
        return self._next(code, package) is not None

    def step(self, code: str, package: dict[str, Any] | None) -> None:
        following = self._next(code, package)
        if following is not None:
            self.log.put(self.code(code), following)

    def retender(self, package: str) -> bool:
        """Tender it again, on a person's word; False where it was never announced."""
        before = self.announcements.get(self.code(package))
        if before is None:
            return False
        self.log.put(self.code(package), before | {"versi": str(int(before["versi"]) + 1), "status": "Berlangsung"})
        return True

    def _next(self, code: str, package: dict[str, Any] | None) -> dict[str, Any] | None:
        before = self.announcements.get(self.code(code))
        if package is None or package.get("status") == "dibatalkan":
            return before | {"status": "Batal"} if before and before["status"] != "Batal" else None
        fails_first = self._digest(code)[9] % 8 == 0
        if before is None:
            return self._announced(code, package, "1", "Gagal" if fails_first else "Berlangsung")
        if before["status"] == "Gagal" and before["versi"] == "1":
            return self._announced(code, package, "2", "Berlangsung")
        now = self._announced(code, package, before["versi"], "Berlangsung")
        return now if now != before else None

    def _announced(self, code: str, package: dict[str, Any], version: str, status: str) -> dict[str, Any]:
        ceiling = Decimal(package["nilai"])
        # The estimate (HPS) stays slightly under the ceiling (pagu): 90 to 99 per cent of it.
        estimate = (ceiling * (90 + self._digest(code)[8] % 10) / 100).quantize(Decimal("0.01"), ROUND_DOWN)
        day = package.get("rencanaPemilihan") or f"{package['tahunAnggaran']}-02-02"
        announced = {
            "kodePaket": self.code(code),
            "kodeRup": package.get("kodeRup"),
            "kodePaketEProject": code,
            "namaPaket": package["namaPaket"],
            "kodeOpd": package["kodeOpd"],
            "tahunAnggaran": str(package["tahunAnggaran"]),
            "pagu": package["nilai"],
            "hps": f"{estimate:.2f}",
            "metode": package.get("metode"),
            "jenis": package.get("jenis"),
            "status": status,
            "versi": version,
            "tanggalPengumuman": f"{day}T09:00:00+07:00",
        }
        return {name: value for name, value in announced.items() if value is not None}

    def _digest(self, package: str) -> bytes:
        return hashlib.sha256(f"{self._seed}:{package}".encode()).digest()
