"""A simulated SPSE: SOAP 1.1, own state, own announcements, every misbehaviour of ``connectors.kit.simulation``.

    python -m connectors.e_procurement.simulator --port 0 [--state FILE] [--delay SECONDS]

prints one line ``{"port": …, "url": …}``; the service is at ``<url>/soap``, its WSDL at ``<url>/soap?wsdl``. Own
fault modes: ``fault`` (soap:Server with 500), ``fault_in_200``, ``fault_client``, ``fault_echo`` (a fault that
repeats the request's headers), ``row_errors`` (OK, GAGAL and DITOLAK in turn), ``lost_row`` (an answer without its
last row), ``doctype``, ``html_as_xml``, ``utf7``, ``other_service`` (an envelope of another service).
``POST /kendali/tender-ulang {"kodePaket"}`` tenders a package again.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
from collections import Counter
from pathlib import Path
from typing import Any

from aiohttp import web
from lxml import etree

from connectors.e_procurement.announcing import Announcing
from connectors.e_procurement.envelopes import WSDL, SoapFault, envelope, fault, request_in, schema, values
from connectors.kit.simulation import LOGIN_PAGE, MODE, Faults, Journal, json_response, repeated, run

USERNAME = "arus"
PASSWORD = "sandi-spse"

_ANSWERS = {
    "fault": (500, fault("Server", "basis data sedang sibuk")),
    "fault_in_200": (200, fault("Server", "basis data sedang sibuk")),
    "fault_client": (500, fault("Client", "permintaan tidak dikenal")),
    "doctype": (200, b'<!DOCTYPE x [<!ENTITY e "e">]>' + envelope("SimpanPaketResponse", {"status": "OK"})[38:]),
    "html_as_xml": (200, LOGIN_PAGE.encode()),
    "utf7": (200, b'<?xml version="1.0" encoding="utf-7"?>' + envelope("SimpanPaketResponse", {})[38:]),
    "other_service": (200, envelope("LainResponse", {"status": "OK"})),
}
"""Fault modes that answer without applying anything."""


class Spse:
    """``delay`` is how many seconds a package waits for each step of its announcement; 0: at once."""

    def __init__(
        self, state: Path | None = None, *, delay: float = 0.0, password: str = PASSWORD, seed: str = ""
    ) -> None:
        self.faults = Faults(*_ANSWERS, "fault_echo", "row_errors", "lost_row")
        self.packages: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, int] = {}
        self.effects: Counter[str] = Counter()
        self.results: dict[str, dict[str, Any]] = {}
        self.announcing = Announcing(seed)
        self._delay = delay
        self._account = "Basic " + base64.b64encode(f"{USERNAME}:{password}".encode()).decode()
        self._schema = schema()
        self._timers: set[asyncio.TimerHandle] = set()
        self._journal = Journal(state)
        for entry in self._journal.replay():
            self._apply(entry)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.faults.middleware], client_max_size=4 * 1024 * 1024)
        app.add_routes(self.faults.routes(self.status))
        app.router.add_post("/kendali/tender-ulang", self.retender)
        app.router.add_get("/soap", self.wsdl)
        app.router.add_post("/soap", self.soap)

        async def begin(_app: web.Application) -> None:
            for code in list(self.versions):
                self._announce_later(code)

        async def end(_app: web.Application) -> None:
            for timer in self._timers:
                timer.cancel()
            self._journal.close()

        app.on_startup.append(begin)
        app.on_cleanup.append(end)
        return app

    def status(self) -> dict[str, Any]:
        return {
            "paket": self.packages,
            "pengumuman": self.announcing.announcements,
            "efek": sum(self.effects.values()),
            "menunggu": sum(self._is_due(code) for code in self.versions),
        }

    async def wsdl(self, _request: web.Request) -> web.Response:
        return web.Response(body=WSDL.read_bytes(), content_type="text/xml")

    async def retender(self, request: web.Request) -> web.Response:
        code = str((await request.json())["kodePaket"])
        if not self.announcing.retender(code):
            return json_response({"kode": "TIDAK_DITEMUKAN"}, 404)
        self._journal.append({"perintah": "tender-ulang", "kode": code})
        return json_response({"status": "ok"})

    async def soap(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != self._account:
            return web.Response(status=401, headers={"WWW-Authenticate": "Basic"})
        body = await request.read()
        mode = request.get(MODE, "")
        if mode == "fault_echo":
            return _xml(fault("Server", repeated(request)), 500)
        if mode in _ANSWERS:
            status, answer = _ANSWERS[mode]
            return _xml(answer, status)
        try:
            return _xml(self._dispatch(body, mode))
        except SoapFault as refused:
            return _xml(fault(refused.code, refused.text), 500)

    def _dispatch(self, body: bytes, mode: str) -> bytes:
        element = request_in(body, self._schema)
        # By the body's own name, never by the SOAPAction header, which anybody can set.
        name = etree.QName(element).localname
        asked = values(element)
        if name == "SimpanDaftarPaket":
            rows = [self._save(values(row), mode, place) for place, row in enumerate(element)]
            if mode == "lost_row":
                rows.pop()
            return envelope(name + "Response", {"jumlah": len(rows), "hasil": rows})
        if name == "SimpanPaket":
            return envelope(name + "Response", self._save(asked, mode, 1))
        if name == "HapusPaket":
            return envelope(name + "Response", self._delete(asked))
        if name == "CekPaket":
            known = self.results.get(asked["idempotencyKey"])
            said = {"idempotencyKey": asked["idempotencyKey"], "ditemukan": known is not None, "hasil": known}
            return envelope(name + "Response", said)
        if name == "AmbilPengumuman":
            return envelope(name + "Response", self._announcements(asked))
        raise SoapFault("Client", "operasi tidak dikenal")

    def _save(self, asked: dict[str, Any], mode: str, place: int) -> dict[str, Any]:
        key, package = asked["idempotencyKey"], asked["paket"]
        said = {"idempotencyKey": key}
        if key in self.results:
            return self.results[key] | {"status": "SUDAH_ADA"}
        if mode == "row_errors" and place % 3:
            refusal = ("GAGAL", "baris terkunci") if place % 3 == 1 else ("DITOLAK", "baris ditolak")
            return said | {"status": refusal[0], "pesan": refusal[1]}
        if package["nilai"].startswith("-"):
            return said | {"status": "DITOLAK", "pesan": "nilai tidak boleh negatif"}
        package["tahunAnggaran"] = int(package["tahunAnggaran"])
        return self._commit({"perintah": "simpan", "kode": package["kodePaket"], "idem": key, "paket": package})

    def _delete(self, asked: dict[str, Any]) -> dict[str, Any]:
        key, code = asked["idempotencyKey"], asked["kodePaket"]
        if key in self.results:
            return self.results[key] | {"status": "SUDAH_ADA"}
        if code not in self.packages:
            return {"idempotencyKey": key, "status": "TIDAK_ADA"}
        return self._commit({"perintah": "hapus", "kode": code, "idem": key})

    def _announcements(self, asked: dict[str, Any]) -> dict[str, Any]:
        since = asked.get("sejak") or "0"
        if not (since.isascii() and since.isdigit()):
            raise SoapFault("Client", "sejak bukan kursor")
        found, cursor, more = self.announcing.log.changed(int(since), max(1, min(int(asked["batas"]), 1000)))
        return {"pengumuman": found, "kursor": str(cursor), "lagi": more}

    def _commit(self, entry: dict[str, Any]) -> dict[str, Any]:
        self._journal.append(entry)
        self._apply(entry)
        self._announce_later(entry["kode"])
        return self.results[entry["idem"]]

    def _apply(self, entry: dict[str, Any]) -> None:
        code, order = entry["kode"], entry["perintah"]
        if order == "umumkan":
            self.announcing.step(code, self.packages.get(code))
            return
        if order == "tender-ulang":
            self.announcing.retender(code)
            return
        if order == "simpan":
            self.packages[code] = entry["paket"]
        else:
            self.packages.pop(code, None)
        self.versions[code] = self.versions.get(code, 0) + 1
        self.effects[entry["idem"]] += 1
        self.results[entry["idem"]] = {
            "idempotencyKey": entry["idem"],
            "status": "OK",
            "versi": self.versions[code],
        }

    def _is_due(self, code: str) -> bool:
        return self.announcing.due(code, self.packages.get(code))

    def _announce_later(self, code: str) -> None:
        while not self._delay and self._is_due(code):
            self._announce(code)
        if self._is_due(code):
            self._timers.add(asyncio.get_running_loop().call_later(self._delay, self._on_time, code))

    def _on_time(self, code: str) -> None:
        self._timers = {timer for timer in self._timers if timer.when() > asyncio.get_running_loop().time()}
        if self._is_due(code):
            self._announce(code)
            self._announce_later(code)

    def _announce(self, code: str) -> None:
        entry = {"perintah": "umumkan", "kode": code}
        self._journal.append(entry)
        self._apply(entry)


def _xml(body: bytes, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, content_type="text/xml", charset="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--password", default=PASSWORD)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each step of an announcement")
    parser.add_argument("--seed", default="")
    run(lambda o: Spse(o.state, delay=o.delay, password=o.password, seed=o.seed).app(), parser)


if __name__ == "__main__":
    main()
