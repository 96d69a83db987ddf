"""An authority of the test's own, and servers whose TLS is wrong in one way each, until it is mended."""

import ssl
import subprocess

from aiohttp import web

from tests.processes.receiver import Receiver
from tests.services.programs import program


class Authority:
    """Its certificate is ``file``; what it signs is for 127.0.0.1 unless told otherwise."""

    def __init__(self, folder):
        self._folder = folder
        self._openssl = program("openssl", package="openssl")
        self.file = self._made("authority", "-x509", "-days", "30", "-subj", "/CN=Authority of the test")

    def right(self):
        return self._signed("right", "IP:127.0.0.1")

    def of_another(self):
        return self._signed("another", "DNS:another.example")

    def expired(self):
        # openssl makes no certificate that has ended, so it lives in the past for a moment.
        past = program("faketime", package="faketime")
        return self._signed("expired", "IP:127.0.0.1", before=(past, "2020-01-01 00:00:00"))

    def self_signed(self):
        return self._made(
            "self", "-x509", "-days", "30", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"
        )

    def _signed(self, name, place, before=()):
        request = self._made(name, "-subj", f"/CN={name}", end="csr")
        extensions = self._folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={place}\n")
        issuer = ("-CA", self.file, "-CAkey", self.file.with_suffix(".key"), "-CAcreateserial")
        words = ("x509", "-req", "-days", "30", "-in", request, *issuer, "-extfile", extensions)
        return self._run(*words, "-out", self._folder / f"{name}.pem", before=before)

    def _made(self, name, *words, end="pem"):
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        keep = ("-keyout", self._folder / f"{name}.key", "-out", self._folder / f"{name}.{end}")
        return self._run("req", *key, *words, *keep)

    def _run(self, *words, before=()):
        command = [*map(str, before), str(self._openssl), *map(str, words)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return words[-1]


class SecureReceiver(Receiver):
    """A subscriber over TLS; ``mend`` gives it another certificate, for the connections to come."""

    def __init__(self, certificate, newest=ssl.TLSVersion.TLSv1_3):
        super().__init__()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if newest < ssl.TLSVersion.TLSv1_2:
            self._tls.set_ciphers("ALL:@SECLEVEL=0")
            self._tls.minimum_version = newest
        self._tls.maximum_version = newest
        self.mend(certificate, newest)

    def mend(self, certificate, newest=ssl.TLSVersion.TLSv1_3):
        self._tls.maximum_version = newest
        self._tls.load_cert_chain(certificate, certificate.with_suffix(".key"))

    async def start(self):
        app = web.Application()
        app.add_routes([web.post("/hook", self._receive)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls).start()
        self.url = f"https://127.0.0.1:{self._runner.addresses[0][1]}/hook"
