"""A subscriber in a thread: keeps what it gets, and answers as it is told."""

import json
import threading
from collections import defaultdict
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Received:
    id: str
    subject: str
    sequence: int
    key: str


class Receiver:
    """While ``free`` is unset, requests are kept and answered later."""

    def __init__(self):
        self.received = []
        self.free = threading.Event()
        self.free.set()
        kept = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                one = Received(event["id"], event["subject"], int(event["sequence"]), self.headers["Idempotency-Key"])
                kept.received.append(one)
                kept.free.wait(60)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_):
                """A sender that was killed: nothing to say."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self):
        self.free.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def ids(self):
        return [one.id for one in list(self.received)]

    def first_effects(self, ids=None):
        """Per subject the ids (of these) in the order of their first arrival: what a keyed destination applies."""
        lanes, seen = defaultdict(list), set()
        for one in list(self.received):
            if one.key not in seen and (ids is None or one.id in ids):
                seen.add(one.key)
                lanes[one.subject].append(one.id)
        return dict(lanes)

    def keys_of(self, id):
        return {one.key for one in list(self.received) if one.id == id}
