"""The distributed mode's Celery: doorbells that say where there is work, and workers that go there.

A doorbell carries a destination's name and nothing else: the database is the truth, so a lost, doubled or reordered
one costs a moment and never a message. The hub imports celery here alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import threading
import uuid
import warnings
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from celery import Celery, signals
from celery.exceptions import SecurityWarning
from kombu import Exchange, Producer, Queue
from sqlalchemy.exc import DBAPIError

from bus.engine import controls
from bus.engine.drain import Drain
from bus.engine.settle import Settler
from bus.engine.timekeeping import Timekeeper, interval
from bus.engine.writer import StoreUnavailable
from monitoring.metrics import tally

from . import watchdog
from .links import Links, open_links
from .settings import Settings
from .unheard import speak_without_waiting
from .upkeep import open_patiently, say
from .wiring import Hub

T = TypeVar("T")

TASK = "arus.visit"
QUEUE = "arus.doorbell"

PATIENCE = 2.0
"""Seconds that one doorbell keeps a thread at a destination before it rings again for the rest. Short, so that slow
destinations, however many, do not take all threads from the others."""

THREADS = 16

GRACE = 15.0
"""Seconds that a stopping worker gives to attempts under way."""

CONFIRMED = 5.0
"""Seconds to wait for the broker to confirm a doorbell: one that blocks publishers never does."""

WAITING_RINGS = 10_000
"""Doorbells that the queue keeps while no worker takes them; the oldest go first, and the sweeper rings again."""


def celery_app(broker: str) -> Celery:
    """The Celery application. JSON alone is taken in: a pickle is refused before it is opened."""
    for name in [name for name in os.environ if name.startswith("CELERY_")]:
        del os.environ[name]  # Celery would obey these before what follows
    app = Celery("arus", broker=broker, set_as_current=False)
    exchange = Exchange("arus", type="topic", durable=True)
    arguments = {"x-queue-type": "quorum", "x-max-length": WAITING_RINGS, "x-overflow": "drop-head"}
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        result_accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,
        task_create_missing_queues=False,
        task_default_queue=QUEUE,
        task_default_exchange="arus",
        task_default_exchange_type="topic",
        task_default_routing_key=QUEUE,
        task_queues=[Queue(QUEUE, exchange, routing_key=QUEUE, durable=True, queue_arguments=arguments)],
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"confirm_publish": True},
        broker_heartbeat=10,
        broker_connection_timeout=4,
    )
    return app


class Loop:
    """One event loop in a thread of its own: everything that sends lives there."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="arus-loop", daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run ``work`` in the loop, from another thread, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


class Visitor:
    """A worker's part of the hub: drains the destination that a doorbell names."""

    def __init__(self, settings: Settings) -> None:
        self.owner = f"worker-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self.hub: Hub = open_patiently(settings)
        self.links: Links = open_links(settings)
        self.loop = Loop()
        every = interval(self.hub.database)
        self.drain = Drain(
            self.hub.database,
            self.hub.writer,
            self.hub.routing,
            Settler(self.hub.routing, self.hub.clock, tally),
            self.links.destinations,
            self.hub.clock,
            owner=self.owner,
            lease=settings.lease_seconds,
            timekeeper=Timekeeper(self.hub.clock, self.hub.writer, owner=self.owner, every=every),
        )
        self.loop.call(self.drain.look(), 30)
        self.loop.start(self.drain.watch())
        self.loop.start(watchdog.watch())

    def visit(self, destination: str) -> bool:
        """Carry what is due there. True: there is more. While the store is away, the sweeper is to ring again."""
        try:
            return self.loop.call(self.drain.visit(destination, PATIENCE))
        except (StoreUnavailable, DBAPIError):
            return False

    def stop(self) -> None:
        """Start nothing more. Returns at once, also inside a signal handler."""
        self.loop.start(self.drain.stop())

    def close(self) -> None:
        """Start nothing more, finish what is under way, sign off: unless it does not finish, and dies holding it."""
        try:
            self.loop.call(self.drain.stop(), GRACE)
            self.hub.writer.call(functools.partial(controls.sign_off, worker=self.owner))
            self.loop.call(self.links.close(), GRACE)
        except (TimeoutError, StoreUnavailable, DBAPIError) as error:
            say(f"worker: stopped with attempts under way or without the store ({type(error).__name__})")
        self.loop.close()
        self.hub.close()


def work(settings: Settings, *, name: str | None = None, threads: int = THREADS) -> None:
    """Run a Celery worker until it is told to stop."""
    speak_without_waiting()
    app = celery_app(_broker(settings))
    # Before Celery starts: it would only log what fails in a signal, and then take doorbells and go nowhere.
    visitor = Visitor(settings)
    doorbell = Doorbell(settings)

    @signals.worker_shutting_down.connect(weak=False)
    def stop(**_: Any) -> None:
        visitor.stop()

    @app.task(name=TASK, ignore_result=True)
    def visit(destination: str) -> None:
        if visitor.visit(str(destination)):
            doorbell.ring({destination})

    # Celery warns of root because root could be made to open pickles; here nobody opens them.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    node = name or f"arus-{os.getpid()}-{uuid.uuid4().hex[:6]}@%h"
    # A name of its own for each process: an equal one would be shut out while the other's connection lives.
    try:
        app.worker_main(
            [
                "--quiet",
                "worker",
                "--pool=threads",
                f"--concurrency={threads}",
                f"--hostname={node}",
                "--loglevel=WARNING",
                "--without-gossip",
                "--without-mingle",
                # Celery's own, beside the broker's: nobody reads it, and it seeks a silent broker in the only thread
                # that could notice, and without end.
                "--without-heartbeat",
            ]
        )
    finally:
        doorbell.close()
        visitor.close()


class Doorbell:
    """Rings for destinations from a thread of its own: a blocked or dead broker never delays who calls ``ring``.

    What could not be rung is forgotten: the sweeper rings for whatever is due.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None] = say) -> None:
        self._app = celery_app(_broker(settings))
        self._producer: Producer | None = None
        self._say = say
        self._waiting: set[str] = set()
        self._changed = threading.Condition()
        self._ended = False
        self._down = False
        self._thread = threading.Thread(target=self._run, name="arus-doorbell", daemon=True)
        self._thread.start()

    def ring(self, destinations: set[str]) -> None:
        """Returns at once. Rings for a destination that still waits are one."""
        if destinations:
            with self._changed:
                self._waiting |= destinations
                self._changed.notify()

    def close(self) -> None:
        """Ring for what waits, then end."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(5)

    def _run(self) -> None:
        while names := self._next():
            for name in names:
                self._publish(name)

    def _next(self) -> list[str]:
        """Wait for destinations to ring for; none: it is over."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting) or self._ended)
            names, self._waiting = sorted(self._waiting), set()
        return names

    def _publish(self, name: str) -> None:
        try:
            if self._producer is None:
                self._producer = self._app.amqp.Producer(self._app.connection_for_write(), auto_declare=False)
            self._app.send_task(
                TASK, (name,), queue=QUEUE, retry=False, ignore_result=True,
                producer=self._producer, timeout=CONFIRMED, confirm_timeout=CONFIRMED,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - whatever a broker does, the sweeper rings later
            if not self._down:
                self._say(f"doorbell: the broker does not answer ({type(error).__name__}); the sweeper rings later")
            self._down = True
            self._hang_up()
            with self._changed:
                self._changed.wait_for(lambda: self._ended, 1.0)
        else:
            if self._down:
                self._say("doorbell: the broker answers again")
            self._down = False

    def _hang_up(self) -> None:
        """Let the connection go without a word to the broker: one that blocks or is gone would not answer."""
        producer, self._producer = self._producer, None
        if producer is not None and producer.connection is not None:
            with contextlib.suppress(Exception):
                producer.connection.collect()


def _broker(settings: Settings) -> str:
    if settings.broker_url is None:
        raise ValueError("the distributed mode needs ARUS_BROKER_URL, such as amqp://arus@rabbitmq//")
    return settings.broker_url.get_secret_value()
