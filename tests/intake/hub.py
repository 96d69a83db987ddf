"""The way in of a hub without its loops: real feeds, real routes, a real writer, and a clock moved by hand."""

import csv
import io
import json
from dataclasses import asdict

from sqlalchemy import func, select

from bus.contract.feed import Row
from bus.engine import registers, tables
from bus.engine.accept import Acceptor
from bus.engine.intake import Intake
from bus.engine.routing import Routing
from bus.engine.writer import Writer
from bus.entrypoints.catalogue import Catalogue
from tests.engine.hub import HandClock

CATALOGUE = Catalogue()
E_BUDGETING, E_PROCUREMENT = "e-budgeting", "e-procurement"


class Hub:
    """``counts`` takes a file and gives what became of its rows, without the zeros; ``rows`` is counted always."""

    def __init__(self, database, clock=None, writer=None):
        self.database = database
        self.clock = clock or HandClock()
        self.writer = writer or Writer(database.writes)
        acceptor = Acceptor(Routing(CATALOGUE.routes), self.clock)
        self.intake = Intake(database, self.writer, acceptor, self.clock)

    def close(self):
        self.writer.close()

    def take(self, feed, content, name="snapshot.json", **more):
        return self.intake.take(CATALOGUE.feed(*feed), as_bytes(content), name, actor="tester", **more)

    def counts(self, feed, content, name="snapshot.json"):
        counts = asdict(self.take(feed, content, name).counts)
        sorts = ("created", "changed", "unchanged", "duplicate", "rejected")
        assert counts["rows"] == sum(counts[one] for one in sorts)
        return {one: number for one, number in counts.items() if number or one == "rows"}

    def approve(self, snapshot):
        counts = self.intake.approve(snapshot, CATALOGUE.feed, actor="chief", reason="seen")
        return {one: number for one, number in asdict(counts).items() if number}

    def refuse(self, snapshot):
        self.intake.refuse(snapshot, actor="chief", reason="a broken export")

    def rows(self, table, *where):
        with self.database.reads.connect() as connection:
            order = list(table.primary_key.columns)
            return connection.execute(select(table).where(*where).order_by(*order)).all()

    def records(self, kind):
        """Data of the living records, by key."""
        statement = (
            select(tables.records.c.key, tables.messages.c.data)
            .join(tables.messages, tables.messages.c.seq == tables.records.c.message)
            .where(tables.records.c.type == kind, tables.records.c.deleted == 0)
        )
        with self.database.reads.connect() as connection:
            return {row.key: json.loads(row.data) for row in connection.execute(statement)}

    def messages(self, subject=None):
        return self.rows(tables.messages, *([tables.messages.c.subject == subject] if subject else []))

    def rejections(self):
        return self.rows(registers.rejections)

    def snapshots(self):
        """State of each snapshot that was ever held, by id."""
        return {row.id: row.state for row in self.rows(registers.snapshots)}

    def audited(self, action):
        return self.rows(registers.audit, registers.audit.c.action == action)

    def trace(self):
        """How much stands in each table that a file leaves something in."""
        held = (tables.messages, tables.records, tables.deliveries, registers.feed_rows, registers.rejections)
        with self.database.reads.connect() as connection:
            return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in held]


def as_bytes(content):
    """Rows as the JSON of a snapshot; bytes and text as they are."""
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def as_csv(rows, delimiter=","):
    """The same rows as CSV; null is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows({name: "" if value is None else value for name, value in row.items()} for row in rows)
    return text.getvalue().encode()


OPD = "2.09.3.25.0.00.10.0000"
SPPBJ = (E_PROCUREMENT, "nontender-sppbj")
APPOINTMENT = "contract.appointment"
"""Letters that appoint a supplier: no route takes them on, so nothing but the way in plays a part."""
KONTRAK = (E_PROCUREMENT, "nontender-kontrak")
"""Contracts: their deliveries wait for the announcement."""
PENGUMUMAN = (E_PROCUREMENT, "nontender-pengumuman")


def letter(number, **changes):
    """A row of the feed ``nontender-sppbj``."""
    return {
        "kd_nontender": 10043893000,
        "tahun_anggaran": 2025,
        "kd_klpd": "D107",
        "kd_satker_str": OPD,
        "nama_paket": "Belanja Jasa",
        "no_sppbj": f"{number}/SPPBJ",
        "versi_addendum": 0,
        "harga_final": 72897000,
    } | changes


def letters(*numbers, **changes):
    return [letter(number, **changes) for number in numbers]


def key_of(number):
    return f"nontender:10043893000:{number}%2FSPPBJ:0"


def numbers(hub):
    """The letters that live, by their number."""
    return sorted(int(data["number"].partition("/")[0]) for data in hub.records(APPOINTMENT).values())


def contract(number, code=10043893000, **changes):
    """A row of the feed ``nontender-kontrak``."""
    row = letter(number, kd_nontender=code, no_kontrak=f"{number}/SPK", nilai_kontrak=1_000_000)
    return {name: value for name, value in row.items() if name not in {"no_sppbj", "harga_final"}} | changes


RKA = (E_BUDGETING, "rka")
RKA_COLUMNS = "tahun;kode_skpd;kode_sub_giat;kode_akun;rincian"
BUDGET_OPD = "1.03.0.00.0.00.01.0000"


def line(account, amount="100,00", agency=BUDGET_OPD):
    """A line of the feed ``rka``."""
    return f"2026;{agency};1.03.10.2.01.0029;5.1.02.01.01.{account:04};{amount}"


def rka(*lines, title="RKA"):
    return "\n".join([f"Judul;{title}", "Daerah;Kota Surabaya", RKA_COLUMNS, *lines, ""])


def accounts(hub):
    """Accounts and amounts of the budget lines that live."""
    return {int(data["account"].rpartition(".")[2]): data["amount"] for data in hub.records("budget.line").values()}


PAKET = ("e-project", "paket")
"""Packages, polled page by page."""


def package(number, **changes):
    """A row of a page of e-Project's packages."""
    row = {"id": f"P{number}", "nama": "Paket", "kode_opd": OPD, "tahun": 2026, "nilai": "850000000.00"} | changes
    return Row(number, number, row, json.dumps(row))
