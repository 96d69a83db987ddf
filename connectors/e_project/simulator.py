"""A simulated e-Project: its own state, its own planning, and every misbehaviour of ``connectors.kit.simulation``.

    python -m connectors.e_project.simulator --port 0 [--state FILE]

prints one line ``{"port": …, "url": …}``. Own fault modes: ``versi_usang`` (a clerk changes the record at the same
moment), ``token_dicabut`` (the token in use is withdrawn), ``token_ditolak`` (no token is given any more).
``GET /kendali/status`` shows all it holds; keys are the key fields, percent-encoded, joined by ``:``.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import secrets
import time
from collections import Counter
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_plus

from aiohttp import web

from connectors.e_project.planning import Planning
from connectors.kit.simulation import MODE, Faults, Handler, Journal, dumps, json_response, run

CLIENT_ID = "arus"
CLIENT_SECRET = "rahasia-e-project"

COLLECTIONS = {
    "anggaran": ("tahun", "kode_opd", "kode_sub_kegiatan", "kode_rekening"),
    "pengumuman": ("register", "kode"),
    "hasil": ("register", "kode"),
    "kontrak": ("register", "kode", "nomor", "adendum"),
}


class EProject:
    """``limit`` is the rate limit in requests a second (0: none), ``token_life`` in seconds."""

    def __init__(
        self,
        state: Path | None = None,
        *,
        limit: int = 0,
        token_life: float = 300.0,
        secret: str = CLIENT_SECRET,
        seed: str = "",
    ) -> None:
        self.faults = Faults("versi_usang", "token_dicabut", spared=("/oauth/",))
        self.records: dict[str, dict[str, Any]] = {name: {} for name in COLLECTIONS}
        self.revisions: dict[tuple[str, str], int] = {}
        self.answers: dict[str, tuple[str, int, dict[str, Any]]] = {}
        self.effects: Counter[str] = Counter()
        self.tokens: dict[str, float] = {}
        self.planning = Planning(seed)
        self._secret, self._limit, self._token_life = secret, limit, token_life
        self._second, self._in_second = 0, 0
        self._journal = Journal(state)
        for entry in self._journal.replay():
            self._apply(entry)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.faults.middleware, self.guard], client_max_size=4 * 1024 * 1024)
        app.add_routes(self.faults.routes(self.status))
        app.router.add_post("/oauth/token", self.grant)
        app.router.add_get("/api/paket", self.packages)
        for name, parts in COLLECTIONS.items():
            path = f"/api/{name}/" + "/".join("{" + part + "}" for part in parts)
            app.router.add_put(path, self.write)
            app.router.add_delete(path, self.write)

        async def close(_app: web.Application) -> None:
            self._journal.close()

        app.on_cleanup.append(close)
        return app

    def status(self) -> dict[str, Any]:
        return {**self.records, "paket": self.planning.packages, "efek": sum(self.effects.values())}

    async def grant(self, request: web.Request) -> web.Response:
        form = await request.post()
        try:
            account = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        except (binascii.Error, UnicodeDecodeError):
            account = ""
        known = account and tuple(map(unquote_plus, account.split(":", 1))) == (CLIENT_ID, self._secret)
        if self.faults.mode == "token_ditolak" or form.get("grant_type") != "client_credentials" or not known:
            return json_response({"error": "invalid_client"}, 401)
        token = secrets.token_urlsafe(24)
        self.tokens[token] = time.monotonic() + self._token_life
        return json_response({"access_token": token, "token_type": "Bearer", "expires_in": self._token_life})

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Token and rate limit of the interface itself."""
        if not request.path.startswith("/api/"):
            return await handler(request)
        if request.get(MODE) == "token_dicabut":
            self.tokens.clear()
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0.0) < time.monotonic():
            return json_response({"kode": "TIDAK_BERWENANG"}, 401, {"WWW-Authenticate": "Bearer"})
        if self._limit and self._over_limit():
            return json_response({"kode": "TERLALU_SERING"}, 429, {"Retry-After": "1"})
        return await handler(request)

    async def packages(self, request: web.Request) -> web.Response:
        try:
            since, limit = int(request.query.get("sejak", "0")), int(request.query.get("batas", "100"))
        except ValueError:
            return json_response({"kode": "DITOLAK", "pesan": "sejak dan batas harus bilangan"}, 400)
        found, cursor, more = self.planning.log.changed(since, max(1, min(limit, 1000)))
        return json_response({"data": found, "kursor": str(cursor), "lagi": more})

    async def write(self, request: web.Request) -> web.Response:
        """PUT or DELETE of one record: known key, then version, then content, then effect."""
        collection = request.path.split("/")[2]
        key = ":".join(quote(request.match_info[part], safe="") for part in COLLECTIONS[collection])
        body = await request.read()
        idempotency_key = request.headers.get("Idempotency-Key", "")
        digest = hashlib.sha256(b"\n".join((request.method.encode(), key.encode(), body))).hexdigest()
        if idempotency_key and idempotency_key in self.answers:
            return self._again(idempotency_key, digest)
        if request.get(MODE) == "versi_usang":
            self.revisions[collection, key] = self.revisions.get((collection, key), 0) + 1
        revision = self.revisions.get((collection, key), 0)
        if request.method == "DELETE" and key not in self.records[collection]:
            return json_response({"kode": "TIDAK_DITEMUKAN", "pesan": "data tidak ada"}, 404)
        if request.headers.get("If-Match", '"0"') != f'"{revision}"':
            said = {"kode": "VERSI_USANG", "pesan": "data sudah diubah", "revisi": revision}
            return json_response(said, 412 if "If-Match" in request.headers else 409, {"ETag": f'"{revision}"'})
        try:
            content = _content(body) if request.method == "PUT" else None
        except ValueError as error:
            return json_response({"kode": "DITOLAK", "pesan": str(error)}, 422)
        entry = {"koleksi": collection, "kunci": key, "isi": content, "idem": idempotency_key, "sidik": digest}
        self._journal.append(entry)
        status, said = self._apply(entry)
        return json_response(said, status, {"ETag": f'"{said["revisi"]}"'})

    def _again(self, idempotency_key: str, digest: str) -> web.Response:
        known, status, said = self.answers[idempotency_key]
        if known != digest:
            return json_response({"kode": "KUNCI_DIPAKAI", "pesan": "Idempotency-Key untuk isi lain"}, 422)
        return json_response(said, status, {"Idempotent-Replayed": "true", "ETag": f'"{said["revisi"]}"'})

    def _apply(self, entry: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        collection, key, content = entry["koleksi"], entry["kunci"], entry["isi"]
        created = key not in self.records[collection]
        revision = self.revisions.get((collection, key), 0) + 1
        self.revisions[collection, key] = revision
        if content is None:
            self.records[collection].pop(key, None)
        else:
            self.records[collection][key] = content
        if collection == "anggaran":
            self.planning.line_changed(key, content)
        status, said = 201 if created and content is not None else 200, {"status": "ok", "revisi": revision}
        if entry["idem"]:
            self.effects[entry["idem"]] += 1
            self.answers[entry["idem"]] = (entry["sidik"], status, said)
        return status, said

    def _over_limit(self) -> bool:
        second = int(time.monotonic())
        self._in_second = self._in_second + 1 if second == self._second else 1
        self._second = second
        return self._in_second > self._limit


def _content(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body, parse_float=Decimal)
        dumps(content)
    except (ValueError, TypeError, RecursionError):
        raise ValueError("isi bukan JSON") from None
    if not isinstance(content, dict):
        raise ValueError("isi harus objek JSON")  # noqa: TRY004 - one kind of refusal for all of a body's faults
    for name in ("pagu", "nilai"):
        try:
            if content.get(name) is not None and Decimal(str(content[name])) < 0:
                raise ValueError(f"{name} tidak boleh negatif")
        except InvalidOperation:
            raise ValueError(f"{name} bukan angka") from None
    return content


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--secret", default=CLIENT_SECRET)
    parser.add_argument("--limit", type=int, default=0, help="requests a second, 0: no limit")
    parser.add_argument("--token-life", type=float, default=300.0, help="seconds")
    parser.add_argument("--seed", default="")
    run(
        lambda o: EProject(o.state, limit=o.limit, token_life=o.token_life, secret=o.secret, seed=o.seed).app(),
        parser,
    )


if __name__ == "__main__":
    main()
