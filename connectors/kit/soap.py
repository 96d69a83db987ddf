"""SOAP through zeep: the one place that imports it, and where its failures become verdicts.

zeep is synchronous, so each destination has a bounded pool of threads; but its bytes travel through the kit's own
HTTP client, because only that keeps a total deadline (``requests`` times single reads), bounds the answer, follows
no redirect and knows whether a request had left. The WSDL is the one bundled with the connector: ``load`` opens
nothing outside its folder, so no WSDL or schema can make the hub read a file or call an address.
"""

from __future__ import annotations

import asyncio
import base64
import re
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import Message as MimeMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import zeep
from lxml import etree
from pydantic import SecretStr
from zeep.exceptions import Fault, TransportError
from zeep.helpers import serialize_object

from bus.contract.verdict import Ambiguous, Rejected, RetryLater, Unavailable, Verdict

from .http import Answer, HttpClient, NoAnswer
from .http_status import verdict_of
from .reasons import quoted

_XML_TYPES = {"text/xml", "application/xml", "application/soap+xml"}
_SPOKEN_BY_SOAP = {200, 202, 400, 500}
"""Statuses whose body may be an envelope (a Fault comes with 500, or 400 for SOAP 1.2); others speak for themselves."""
_DECLARED_ENCODING = re.compile(rb"""<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_GRACE_SECONDS = 5.0


class SoapFailure(Exception):
    """A call without a good answer; ``verdict`` is never ``Delivered``."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(str(getattr(verdict, "reason", "")))
        self.verdict = verdict


@dataclass
class _Call:
    """One call on its way: how long it has, and how far it came."""

    loop: asyncio.AbstractEventLoop
    ends: float
    stopped: threading.Event = field(default_factory=threading.Event)
    sent: bool = False
    status: int | None = None
    request: Future[Answer] | None = field(default=None, repr=False)


class SoapClient:
    """Calls the operations of one bundled WSDL at a configured address.

    ``binding`` is the binding's qualified name, ``threads`` how many calls may run at once. ``username`` and
    ``password`` are sent as HTTP Basic. The zeep client is made in a pool thread at the first call.
    """

    def __init__(
        self,
        wsdl: Path,
        binding: str,
        url: str,
        http: HttpClient,
        *,
        username: str | None = None,
        password: SecretStr | None = None,
        threads: int = 4,
    ) -> None:
        self._wsdl, self._binding, self._url, self._http = wsdl, binding, url, http
        self._username, self._password = username, password
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._making = threading.Lock()
        self._service: Any = None
        self._transport = _Transport(wsdl.parent, http, self._credentials())

    async def call(self, operation: str, deadline: float, arguments: Mapping[str, Any]) -> Any:
        """The answer of ``operation`` as dicts and lists, within ``deadline`` seconds. Raises SoapFailure."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="soap")
        loop = asyncio.get_running_loop()
        call = _Call(loop, time.monotonic() + deadline)
        try:
            return await loop.run_in_executor(self._pool, self._blocking, operation, arguments, call)
        except asyncio.CancelledError:
            call.stopped.set()
            if call.request is not None:
                call.request.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - whatever zeep raises must become a verdict, or the delivery hangs
            raise SoapFailure(self._verdict(error, call)) from None

    def secrets(self) -> tuple[str, ...]:
        """What may stand in no text."""
        header = self._credentials().get("Authorization", "")
        return (self._password.get_secret_value() if self._password else "", header.removeprefix("Basic "))

    async def close(self) -> None:
        """Let the threads go; twice is harmless. The HTTP client is closed by its owner."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def _blocking(self, operation: str, arguments: Mapping[str, Any], call: _Call) -> Any:
        with self._making:
            if self._service is None:
                self._service = self._bound()
        self._transport.current.call = call
        try:
            answer = self._service[operation](**arguments)
        finally:
            self._transport.current.call = None
        if answer is None:
            raise NoAnswer(Ambiguous("an empty answer", call.status, "destination"))
        return serialize_object(answer, dict)  # type: ignore[no-untyped-call]  # zeep annotates little

    def _bound(self) -> Any:
        settings = zeep.Settings(
            strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True, xml_huge_tree=False
        )
        try:
            client: Any = zeep.Client(str(self._wsdl), transport=self._transport, settings=settings)  # type: ignore[no-untyped-call]
            return client.create_service(self._binding, self._url)
        except Exception as error:
            reason = f"the bundled WSDL cannot be used: {type(error).__name__}"
            raise NoAnswer(Unavailable(reason, at="hub")) from error

    def _credentials(self) -> dict[str, str]:
        if self._username is None or self._password is None:
            return {}
        account = f"{self._username}:{self._password.get_secret_value()}"
        return {"Authorization": "Basic " + base64.b64encode(account.encode()).decode()}

    def _verdict(self, error: Exception, call: _Call) -> Verdict:
        if isinstance(error, NoAnswer):
            return error.verdict
        if isinstance(error, _Answered):
            return error.verdict
        if not call.sent:
            # Local: zeep could not write the message (a missing element, a character that XML does not have).
            return Rejected(f"the message does not fit the service: {self._quoted(error)}", at="mapping")
        if isinstance(error, Fault):
            return self._verdict_of_fault(error, call)
        if isinstance(error, TransportError) and call.status not in {None, 200, 202}:
            return verdict_of(int(call.status or 0))
        return Ambiguous("the answer is no SOAP envelope that fits the service", call.status, "destination")

    def _verdict_of_fault(self, fault: Fault, call: _Call) -> Verdict:
        kind = str(fault.code or "").rpartition(":")[2].partition(".")[0]
        reason = f"SOAP fault {quoted(kind)}: {self._quoted(fault.message)}"
        return verdict_of_fault(kind, reason, call.status)

    def _quoted(self, text: object) -> str:
        return quoted(text, self.secrets())


REFUSING_FAULTS = ("Client", "Sender", "VersionMismatch", "MustUnderstand", "DataEncodingUnknown")
PASSING_FAULTS = ("Server", "Receiver")


def verdict_of_fault(kind: str, reason: str, status: int | None) -> Verdict:
    """SOAP 1.1 section 4.4.1: Client means the message is at fault, Server that it was not processed.

    ``kind`` is the fault code without its prefix and its parts after a point; without one the HTTP status speaks.
    """
    if kind in REFUSING_FAULTS:
        return Rejected(reason, status)
    if kind in PASSING_FAULTS:
        return RetryLater(reason, None, status)
    if not kind and status not in {None, 200, 202}:
        return verdict_of(int(status or 0))
    return Ambiguous(reason, status, "destination")


class _Answered(Exception):
    """The HTTP status alone decides."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__()
        self.verdict = verdict


@dataclass(frozen=True, slots=True)
class _Response:
    """As much of an HTTP response as zeep reads."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    encoding: str = "utf-8"


class _Transport:
    """What zeep calls to load the WSDL and to send an envelope; runs in the pool's threads."""

    def __init__(self, folder: Path, http: HttpClient, headers: Mapping[str, str]) -> None:
        self._folder = folder.resolve()
        self._http = http
        self._headers = headers
        self.current = threading.local()

    def __repr__(self) -> str:
        return "the kit's transport"

    def load(self, url: str) -> bytes:
        """A file of the bundled folder, and nothing else. Raises ValueError."""
        place = Path(url)
        if urlsplit(url).scheme or not place.resolve().is_relative_to(self._folder):
            raise ValueError("a WSDL may only use files of its own folder")
        return place.read_bytes()

    def post_xml(self, address: str, envelope: etree._Element, headers: Mapping[str, str]) -> _Response:
        call: _Call = self.current.call
        body = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
        remaining = call.ends - time.monotonic()
        if call.stopped.is_set() or remaining <= 0:
            raise NoAnswer(Unavailable("no time was left before sending", at="hub"))
        call.sent = True
        call.request = asyncio.run_coroutine_threadsafe(
            self._http.request("POST", address, deadline=remaining, body=body, headers={**headers, **self._headers}),
            call.loop,
        )
        if call.stopped.is_set():
            call.request.cancel()  # it was cancelled between the check above and here
        # The loop keeps the deadline; the second limit is for a loop that was stopped meanwhile.
        answer = call.request.result(remaining + _GRACE_SECONDS)
        call.status = answer.status
        return _checked(answer)


def _checked(answer: Answer) -> _Response:
    """The answer if it can be an envelope; zeep gets to see no other. Raises _Answered or NoAnswer."""
    content_type = MimeMessage()
    content_type["Content-Type"] = answer.headers.get("Content-Type", "")
    is_xml = content_type.get_content_type() in _XML_TYPES
    if answer.status not in _SPOKEN_BY_SOAP or (answer.status not in {200, 202} and not is_xml):
        verdict = answer.verdict()
        raise _Answered(
            Ambiguous(f"HTTP {answer.status}: not a status of SOAP", answer.status, "destination")
            if 200 <= answer.status <= 299
            else verdict
        )
    if not is_xml:
        raise _Answered(Ambiguous("a good status, but no XML (a log-in page?)", answer.status, "destination"))
    if not answer.complete or answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise _Answered(Ambiguous("the answer is cut off or compressed", answer.status))
    if not _is_utf8(answer.body):
        raise _Answered(Ambiguous("the answer is not in UTF-8", answer.status, "destination"))
    return _Response(answer.status, answer.headers, answer.body)


def _is_utf8(body: bytes) -> bool:
    """By its bytes and by its own declaration: an XML parser would believe a mark, a NUL or a declared UTF-7."""
    declared = _DECLARED_ENCODING.match(body.lstrip(b"\xef\xbb\xbf \r\n\t"))
    if b"\0" in body or (declared and declared[1].lower() not in {b"utf-8", b"us-ascii"}):
        return False
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
