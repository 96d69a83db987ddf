"""A distributed hub as its users run it: processes of the command ``arus`` over one PostgreSQL and one RabbitMQ."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import kombu
import psycopg
from sqlalchemy.engine import make_url

from bus.contract.clock import system_clock
from bus.engine import registry, subscribing
from bus.engine.database import open_database, upgrade
from bus.entrypoints.worker import QUEUE
from tests.services import wait_until

ARUS = str(Path(sys.executable).with_name("arus"))
AGENCY = "1.03.0.00.0.00.01.0000"

COMMANDS = {"api": ("serve",), "worker": ("worker",), "sweeper": ("worker", "--sweep")}
"""The words after ``arus`` by process, as ``docker-compose.yml`` has them."""

DEAD = 4
"""Seconds (ARUS_DEAD_SECONDS) after which a silent process is taken for dead in these tests."""


def line(id, number=1, amount="1.00"):
    """One structured event; ``number`` tells the record, and so the lane."""
    data = {
        "fiscal_year": 2026,
        "agency": AGENCY,
        "activity": f"1.03.10.2.01.{number:04d}",
        "account": "5.1.02.01.01.0024",
        "amount": amount,
    }
    return {
        "specversion": "1.0",
        "id": id,
        "source": "/systems/e-budgeting",
        "type": "id.go.surabaya.budget.line.v1",
        "data": data,
    }


@dataclass
class Process:
    """One started process and what it wrote."""

    popen: subprocess.Popen
    log: Path

    @property
    def pid(self):
        return self.popen.pid

    def said(self):
        return self.log.read_text(errors="replace")

    def alive(self):
        return self.popen.poll() is None

    def end(self, number=signal.SIGTERM):
        """Signal it and wait; answers the exit code."""
        if self.alive():
            self.popen.send_signal(number)
            self.popen.send_signal(signal.SIGCONT)
        return self.popen.wait(60)


class Api(Process):
    """``arus serve``; ``url`` once it has said it."""

    url = ""

    def ready(self):
        assert self.alive(), self.said()
        if not self.url:
            found = [text for text in self.said().splitlines(keepends=True) if text.startswith("arus: http://")]
            self.url = found[0].split()[1] if found and found[0].endswith("\n") else ""
        try:
            return bool(self.url) and self.call("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def call(self, method, path, key=None, body=None, kind="application/json"):
        """Answers (status, headers, body); a connection of its own, bounded in time."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=45)
        headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {key}"} if key else {})
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def post(self, key, event):
        return self.call("POST", "/v1/messages", key, json.dumps(event), "application/cloudevents+json")

    def bulk(self, key, events):
        """NDJSON; every one must be accepted."""
        body = "\n".join(map(json.dumps, events))
        status, _, text = self.call("POST", "/v1/messages", key, body, "application/x-ndjson")
        assert status == 200, text
        assert {one["status"] for one in json.loads(text)} == {"accepted"}, text


class Fleet:
    """Everything started ends with ``close``. ``sign_up`` makes keys and subscriptions in the store itself."""

    def __init__(self, folder, database_url, broker_url, **environment):
        self.folder = folder
        self.database_url = database_url
        self.broker_url = broker_url
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ARUS_")}
        self.environment = {
            **inherited,
            "ARUS_HOME": str(folder / "home"),
            "ARUS_DATABASE_URL": database_url,
            "ARUS_BROKER_URL": broker_url,
            "ARUS_PORT": "0",
            "ARUS_DEAD_SECONDS": str(DEAD),
            "ARUS_LEAVE_SECONDS": "0",  # no proxy stands before it
            **environment,
        }
        self.processes = []
        upgrade(database_url)

    def start(self, *words, kind=Process, **environment):
        log = self.folder / f"{words[0]}-{len(self.processes)}.log"
        with log.open("wb") as out:
            popen = subprocess.Popen(
                [ARUS, *words], cwd=self.folder, env=self.environment | environment, stdin=subprocess.DEVNULL,
                stdout=out, stderr=out,
            )  # fmt: skip
        started = kind(popen, log)
        self.processes.append(started)
        return started

    def api(self):
        return self.start(*COMMANDS["api"], kind=Api)

    def worker(self, *words):
        return self.start(*COMMANDS["worker"], *words)

    def sweeper(self):
        return self.start(*COMMANDS["sweeper"])

    def close(self):
        for process in self.processes:
            if process.alive():
                process.popen.send_signal(signal.SIGCONT)
                process.popen.terminate()
        for process in self.processes:
            try:
                process.popen.wait(20)
            except subprocess.TimeoutExpired:
                process.popen.kill()
                process.popen.wait()

    # What is in the store and the broker.

    def rows(self, query, *values):
        url = make_url(self.database_url)
        with psycopg.connect(
            host=url.host, port=url.port, user=url.username, dbname=url.database, autocommit=True, connect_timeout=5
        ) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def workers(self):
        """Ids of the signed workers by process id."""
        return {int(id.split("-")[1]): id for (id,) in self.rows("SELECT id FROM workers")}

    def states(self):
        return dict(self.rows("SELECT state, count(*) FROM deliveries WHERE destination LIKE 'sub:%%' GROUP BY state"))

    def leader(self):
        """The process id of the sweeper that leads."""
        found = self.rows("SELECT lease_owner FROM feeds WHERE system = 'hub' AND lease_owner IS NOT NULL")
        return int(found[0][0].split("-")[1]) if found else None

    def consumers(self):
        """How many workers listen at the queue, and how many doorbells wait there."""
        with kombu.Connection(self.broker_url, connect_timeout=5) as connection:
            try:
                found = connection.default_channel.queue_declare(QUEUE, passive=True)
            except connection.channel_errors:
                return 0, 0
            return found.consumer_count, found.message_count

    def ready(self, *workers):
        """Wait until these workers have signed and as many listen."""

        def signed():
            assert all(one.alive() for one in workers), [one.said() for one in workers]
            return {one.pid for one in workers} <= set(self.workers())

        wait_until(signed, timeout=60, what="the workers sign")
        wait_until(lambda: self.consumers()[0] >= len(workers), timeout=60, what="the workers listen")

    def sign_up(self, *subscribers, poster="e-budgeting", scopes=("post", "read", "operate")):
        """A key for ``poster``, and a subscription to ``budget.*`` for each (system, url). Answers the key."""
        database = open_database(self.database_url)
        now = system_clock()
        try:
            with database.writes.begin() as connection:
                key = registry.create_key(connection, poster, list(scopes), agency=None, actor="test", now=now)
                for system, url in subscribers:
                    registry.register(connection, system, title=system, agency=None, external=True, now=now)
                    subscribing.subscribe(
                        connection, system, url, ["budget.*"], secret=None, start="now", actor="test", now=now
                    )
        finally:
            database.close()
        return key.key

    def delivered(self, receiver, ids, timeout=60.0):
        """Wait until ``receiver`` has these and the store says so too."""
        wanted = set(ids)
        wait_until(lambda: wanted <= set(receiver.ids), timeout=timeout, what=f"{len(wanted)} arrive")
        wait_until(lambda: set(self.states()) <= {"delivered"}, timeout=30, what="all are settled")


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def seconds(work):
    """How long ``work`` takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began
