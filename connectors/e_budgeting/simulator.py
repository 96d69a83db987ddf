"""Simulator of e-Budgeting: holds the city's budget and drops its RKA export, one file per OPD, in that OPD's dialect.

``python -m connectors.e_budgeting.simulator --drop DIR [--lines N] [--seed N] [--year Y] [--state FILE]``

``POST /drop {"kind"}`` answers what it wrote: ``full`` every OPD's file; ``revision`` raises about a tenth of the
lines and writes the files of the OPDs concerned; ``bad_rows`` one OPD's file with rows that cannot be read, its
budget unchanged; ``half_written`` begins a file under its final name and stops in the middle of a line, as a writer
that was killed; ``finish`` writes the rest of it. ``GET /state`` is the budget as it stands.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiohttp import web

from connectors.kit.simulation import Journal, json_response, run

HEADER = (
    *("tahun", "kode_skpd", "nama_skpd", "kode_sub_giat", "nama_sub_giat", "kode_akun", "nama_akun"),
    *("volume", "satuan", "harga_satuan", "rincian", "rincian_murni", "nama_dana", "tahap"),
)
_ACCOUNTS = (
    ("5.1.02.01.01.0024", "Belanja Alat/Bahan untuk Kegiatan Kantor – Alat Tulis Kantor"),
    ("5.1.02.01.01.0052", "Belanja Makanan dan Minuman Rapat"),
    ("5.1.02.02.01.0003", "Honorarium Narasumber atau Pembahas"),
    ("5.1.02.03.02.0035", "Belanja Pemeliharaan Alat Angkutan Darat Bermotor"),
    ("5.2.02.05.01.0005", "Belanja Modal Alat Kantor Lainnya"),
    ("5.2.04.01.01.0003", "Belanja Modal Jalan Kota"),
)
_UNITS = ("paket", "orang/kegiatan", "m²", "unit", "bulan")


@dataclass(frozen=True)
class Office:
    """One OPD and the dialect that its export is set to."""

    code: str
    name: str
    delimiter: str
    encoding: str
    indonesian: bool
    titled: bool

    def number(self, value: Decimal) -> str:
        """``1.234.567,89`` or ``1234567.89``."""
        if not self.indonesian:
            return f"{value:.2f}"
        return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


OFFICES = (
    Office("1.01.0.00.0.00.01.0000", "Dinas Pendidikan", ";", "utf-8-sig", indonesian=True, titled=True),
    Office("1.02.0.00.0.00.02.0000", "Dinas Kesehatan", ",", "utf-8", indonesian=False, titled=True),
    Office(
        "1.03.0.00.0.00.01.0000", "Dinas Sumber Daya Air dan Bina Marga", ";", "cp1252", indonesian=True, titled=True
    ),
    Office("1.04.2.10.0.00.01.0000", "Dinas Perumahan Rakyat – Kawasan", ",", "utf-8", indonesian=True, titled=False),
    Office("5.01.5.05.0.00.01.0000", "Badan Perencanaan Pembangunan", "\t", "utf-8", indonesian=False, titled=True),
)


@dataclass
class Budget:
    """The budget of every OPD; the same seed and rounds give the same budget."""

    lines_wanted: int
    seed: int
    year: int
    round: int = 0
    lines: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        dice = random.Random(self.seed)  # noqa: S311 - a repeatable budget, no secret
        for number in range(self.lines_wanted):
            office = OFFICES[number % len(OFFICES)]
            serial = number // len(OFFICES)
            account = _ACCOUNTS[serial % len(_ACCOUNTS)]
            activity = serial // len(_ACCOUNTS)
            price = Decimal(dice.randrange(1_000, 9_000_000))
            volume = Decimal(dice.randrange(1, 400)) / 4
            self.lines.append(
                {
                    "kode_skpd": office.code,
                    "nama_skpd": office.name,
                    "kode_sub_giat": f"{office.code[:4]}.{activity // 200 + 2:02d}.2.{activity // 20 % 10 + 1:02d}"
                    f".{activity % 20 + 1:04d}",
                    "nama_sub_giat": f"Penyelenggaraan Layanan {activity + 1}",
                    "kode_akun": account[0],
                    "nama_akun": account[1],
                    "volume": volume,
                    "satuan": dice.choice(_UNITS),
                    "harga_satuan": price,
                    "rincian": (volume * price).quantize(Decimal("0.01")),
                    "rincian_murni": None,
                    "nama_dana": dice.choice(("PAD", "DAU", "DAK")),
                    "tahap": "DPA",
                }
            )

    def revise(self) -> set[str]:
        """One round of revision (perubahan): the OPDs whose lines it changed."""
        self.round += 1
        dice = random.Random(f"{self.seed}/{self.round}")  # noqa: S311 - as above
        changed = dice.sample(self.lines, max(1, len(self.lines) // 10)) if self.lines else []
        for line in changed:
            line["rincian_murni"] = line["rincian_murni"] or line["rincian"]
            line["volume"] += 1
            line["rincian"] = (line["volume"] * line["harga_satuan"]).quantize(Decimal("0.01"))
            line["tahap"] = "Perubahan"
        return {line["kode_skpd"] for line in changed}


class Exporter:
    """Writes the files. ``half`` is the file begun and not finished, with what is still to be written."""

    def __init__(self, budget: Budget, folder: Path) -> None:
        self.budget, self.folder = budget, folder
        self.half: tuple[Path, bytes] | None = None
        self.files = 0

    def content(self, office: Office, spoiled: int = 0) -> tuple[bytes, int]:
        """The export of one OPD, and its number of rows; every ``spoiled``-th amount is no number."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=office.delimiter, lineterminator="\r\n")
        if office.titled:
            writer.writerows([("Judul", "RKA SKPD"), ("Daerah", "Kota Surabaya"), ("Tahun", self.budget.year)])
            writer.writerow(("Kode Organisasi", office.code))
        writer.writerow(HEADER)
        own = [line for line in self.budget.lines if line["kode_skpd"] == office.code]
        for number, line in enumerate(own, start=1):
            cells = {**line, "tahun": self.budget.year}
            for name in ("volume", "harga_satuan", "rincian", "rincian_murni"):
                cells[name] = "" if cells[name] is None else office.number(cells[name])
            if spoiled and number % spoiled == 0:
                cells["rincian"] = "belum dihitung"
            writer.writerow([cells[name] for name in HEADER])
        return text.getvalue().encode(office.encoding, "replace"), len(own)

    def drop(self, offices: list[Office], spoiled: int = 0) -> list[dict[str, Any]]:
        """Write whole files: under a passing name first, renamed once complete."""
        written = []
        for office in offices:
            content, rows = self.content(office, spoiled)
            path = self._path(office)
            passing = path.with_name(path.name + ".part")
            passing.write_bytes(content)
            passing.rename(path)
            bad = rows // spoiled if spoiled else 0
            written.append({"file": path.name, "kode_skpd": office.code, "rows": rows, "bad": bad})
        return written

    def begin(self, office: Office) -> list[dict[str, Any]]:
        """Write the first half of a file under its final name, up to the middle of a line."""
        content, rows = self.content(office)
        cut = len(content) // 2
        while content[cut - 1 : cut] == b"\n":
            cut -= 1
        path = self._path(office)
        path.write_bytes(content[:cut])
        self.half = (path, content[cut:])
        return [{"file": path.name, "kode_skpd": office.code, "rows": rows, "bad": 0}]

    def finish(self) -> list[dict[str, Any]]:
        """Write the rest of the file begun last."""
        if self.half is None:
            return []
        path, rest = self.half
        with path.open("ab") as file:
            file.write(rest)
        self.half = None
        return [{"file": path.name}]

    def _path(self, office: Office) -> Path:
        self.files += 1
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"rka-{office.code[:4]}-{self.budget.year}-{self.files:05d}.csv"


def _act(exporter: Exporter, journal: Journal, kind: str) -> list[dict[str, Any]] | None:
    """Do what the order says; None where there is no such order."""
    if kind == "full":
        return exporter.drop(list(OFFICES))
    if kind == "revision":
        concerned = exporter.budget.revise()
        journal.append({"round": exporter.budget.round})
        return exporter.drop([office for office in OFFICES if office.code in concerned])
    if kind == "bad_rows":
        return exporter.drop([OFFICES[0]], spoiled=3)
    if kind == "half_written":
        return exporter.begin(OFFICES[1])
    return exporter.finish() if kind == "finish" else None


def application(options: argparse.Namespace) -> web.Application:
    """The control face over the budget."""
    budget = Budget(options.lines, options.seed, options.year)
    exporter = Exporter(budget, options.drop)
    journal = Journal(options.state)
    for entry in journal.replay():
        if "round" in entry:
            budget.revise()
        exporter.files = max(exporter.files, int(entry.get("files", 0)))

    async def drop(request: web.Request) -> web.Response:
        try:
            order = await request.json()
            written = _act(exporter, journal, str(order["kind"]))
        except (ValueError, TypeError, KeyError):
            written = None
        if written is None:
            return json_response({"error": "kind: full, revision, bad_rows, half_written or finish"}, 400)
        journal.append({"files": exporter.files})
        return json_response({"round": budget.round, "files": written})

    async def state(_request: web.Request) -> web.Response:
        lines = [{**line, "tahun": budget.year} for line in budget.lines]
        return json_response({"round": budget.round, "lines": lines})

    app = web.Application()
    app.add_routes([web.post("/drop", drop), web.get("/state", state)])
    return app


def main() -> None:
    """Run the simulator; one JSON line on stdout gives its port."""
    parser = argparse.ArgumentParser(prog="e-budgeting simulator")
    parser.add_argument("--drop", type=Path, required=True, help="the folder that it drops files into")
    parser.add_argument("--lines", type=int, default=500)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--year", type=int, default=2026)
    run(application, parser)


if __name__ == "__main__":
    main()
