"""What stands before two fronts, as Caddy in ``docker-compose.yml``: asks ``/readyz``, and repeats nothing unsafe."""

import http.client
import json
import select
import threading
from collections import defaultdict

from tests.services import wait_until

INTERVAL = 0.25
"""Seconds between two questions to a front whether it is ready; Caddy asks every two seconds."""

TRY = 5.0
"""Seconds to look for a front that can be reached: Caddy's ``lb_try_duration``."""


class Balancer:
    """Requests go in turn to the fronts that are ready, over connections that are kept.

    A request is given to another front only where it was surely not begun: the connection was refused. Whatever else
    goes wrong is the poster's: it is raised.
    """

    def __init__(self, ports):
        self._ready = dict.fromkeys(ports, False)
        self._kept = defaultdict(list)
        self._lock = threading.Lock()
        self._turn = 0
        self._over = threading.Event()
        self.turned_red = 0
        """How often a front that was ready said, itself, that it no longer is."""
        self._probes = [threading.Thread(target=self._probe, args=(port,), daemon=True) for port in ports]
        for probe in self._probes:
            probe.start()

    def close(self):
        self._over.set()
        for probe in self._probes:
            probe.join(30)
        for kept in self._kept.values():
            for connection in kept:
                connection.close()

    def ready(self, port):
        return self._ready[port]

    def post(self, key, event):
        """Answers (status, body). Raises OSError or HTTPException where a request had no answer."""
        reached = wait_until(self._reach, timeout=TRY + 25, what="a front that can be reached")
        port, connection = reached
        headers = {"Content-Type": "application/cloudevents+json", "Authorization": f"Bearer {key}"}
        try:
            connection.request("POST", "/v1/messages", body=json.dumps(event), headers=headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        if answer.will_close:
            connection.close()
        else:
            with self._lock:
                self._kept[port].append(connection)
        return answer.status, body

    def _reach(self):
        """A connection to a front that is ready, or None."""
        with self._lock:
            ports = [port for port, ready in self._ready.items() if ready]
            self._turn += 1
            start = self._turn
        for offset in range(len(ports)):
            port = ports[(start + offset) % len(ports)]
            while (connection := self._take(port)) is not None:
                if not select.select([connection.sock], [], [], 0)[0]:
                    return port, connection
                connection.close()  # the front has closed it meanwhile: nothing was sent over it
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                connection.connect()
            except ConnectionRefusedError:
                continue
            return port, connection
        return None

    def _take(self, port):
        with self._lock:
            return self._kept[port].pop() if self._kept[port] else None

    def _probe(self, port):
        while not self._over.wait(INTERVAL):
            status = self._asked(port)
            with self._lock:
                self.turned_red += self._ready[port] and status == 503
                self._ready[port] = status == 200
                gone = [] if self._ready[port] else self._kept.pop(port, [])
            for connection in gone:
                connection.close()

    def _asked(self, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return None
        else:
            return answer.status
        finally:
            connection.close()
