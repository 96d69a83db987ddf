"""The front as a process of its own: it answers HTTP and accepts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading

import uvicorn

from bus.engine import killpoints, timekeeping

from .api.app import create_app
from .leaving import LeavingServer
from .lifeline import die_with_parent, say_started
from .settings import Settings
from .unheard import speak_without_waiting
from .upkeep import say
from .wiring import open_hub

BACKLOG = 2048


def main(arguments: list[str]) -> None:
    """``front_process LIFELINE STARTED DOORBELL SOCKET``: file descriptors; the socket is bound already."""
    speak_without_waiting()
    die_with_parent(int(arguments[0]))
    doorbell = int(arguments[2])
    os.set_blocking(doorbell, False)

    def ring_engine(_destinations: set[str]) -> None:
        # A full pipe means that the engine has been rung and not yet looked: nothing is lost.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(doorbell, b"!")

    settings = Settings.load()
    bell = None
    if settings.distributed:
        from .worker import Doorbell

        bell = Doorbell(settings)
    wake = bell.ring if bell else ring_engine

    def ring(destinations: set[str]) -> None:
        if destinations:  # it was a commit of accepted messages, and nobody has been answered yet
            killpoints.passing("api.after_commit")
        wake(destinations)

    def start_anew() -> None:
        say("front: the disk did not keep what was written; starts anew")
        os.kill(os.getpid(), signal.SIGTERM)  # who waits is still told that nothing was stored

    hub = open_hub(settings, ring=ring, broken=start_anew, tell=say)
    listener = socket.socket(fileno=int(arguments[3]))
    # httptools refuses requests that carry two lengths, bare line feeds and folded headers; h11 takes them.
    app = create_app(hub)
    config = uvicorn.Config(
        app,
        http="httptools",
        loop="uvloop",
        access_log=False,
        log_level="warning",
        backlog=BACKLOG,
        lifespan="on",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )
    server = LeavingServer(config, settings.leaving, app.state.leaving.set)
    # uvicorn gives a signal back once it has stopped; by default that would end us before the store is closed.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, server.handle_exit)
    over = threading.Event()
    every = timekeeping.interval(hub.database)
    threading.Thread(target=timekeeping.follow, args=(hub.clock, every, over), name="arus-clock", daemon=True).start()
    say_started(int(arguments[1]))
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listener]))
    over.set()
    hub.close()
    if bell is not None:
        bell.close()


if __name__ == "__main__":
    main(sys.argv[1:])
