"""Proxies that misbehave between a fleet's processes and its servers, and the fleet behind them."""

import json
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from sqlalchemy.engine import make_url

from proof.proxy import Weather
from tests.distributed.fleet import Api, Fleet
from tests.distributed.receiver import Receiver
from tests.services import wait_until

ROOT = Path(__file__).resolve().parents[2]


class Gate:
    """A proxy before ``port`` of 127.0.0.1, in a process of its own."""

    def __init__(self, port):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "proof.proxy", "127.0.0.1", str(port)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._talking = threading.Lock()
        self.port = json.loads(self._process.stdout.readline())["port"]

    def change(self, **weather):
        """From the return on it is so; answers how often it has done what until now."""
        return self._ask(asdict(Weather(**weather)))

    def hits(self, what):
        """How often it has done ``what`` until now."""
        return self._ask(None).get(what, 0)

    def _ask(self, wanted):
        with self._talking:
            self._process.stdin.write(json.dumps(wanted) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


class GatedFleet:
    """One front, one worker, a sweeper and a subscriber. The front and the worker reach the store by gates of their
    own, all three the broker by another; the sweeper reaches the store itself."""

    def __init__(self, folder, database_url, broker_port, stack, **environment):
        url = make_url(database_url)
        self.front_to_store, self.worker_to_store, self.to_broker = (
            self._opened(Gate(port), stack) for port in (url.port, url.port, broker_port)
        )
        self.receiver = self._opened(Receiver(), stack)
        broker_url = f"amqp://guest:guest@127.0.0.1:{self.to_broker.port}//"
        self.fleet = self._opened(Fleet(folder, database_url, broker_url, **environment), stack)
        for gate in (self.front_to_store, self.worker_to_store, self.to_broker):
            stack.callback(gate.change)  # good weather: nobody hangs when it is told to end
        self.key = self.fleet.sign_up(("dashboard", self.receiver.url))

        def by(gate):
            return {"ARUS_DATABASE_URL": url.set(port=gate.port).render_as_string(hide_password=False)}

        self.api = self.fleet.start("serve", kind=Api, **by(self.front_to_store))
        self.worker = self.fleet.start("worker", **by(self.worker_to_store))
        self.sweeper = self.fleet.sweeper()
        wait_until(self.api.ready, timeout=60, what="the API is ready")
        self.fleet.ready(self.worker)
        wait_until(lambda: self.fleet.leader() == self.sweeper.pid, timeout=60, what="the sweeper leads")

    @staticmethod
    def _opened(thing, stack):
        stack.callback(thing.close)
        return thing

    def all_alive(self):
        """Nobody died, and nobody met what it does not know."""
        for process in (self.api, self.worker, self.sweeper):
            assert process.alive(), process.said()
            assert "Traceback" not in process.said(), process.said()
