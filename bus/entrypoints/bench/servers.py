"""Private PostgreSQL and RabbitMQ for what needs them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import psycopg

from .processes import BenchFailed

if TYPE_CHECKING:
    from proof.servers import Broker

T = TypeVar("T")


class Servers:
    """Both, running. Several hubs share them, each with a database and a virtual host of its own."""

    def __init__(self, database: str, broker: Broker) -> None:
        self._database = database
        self._broker = broker

    @property
    def broker_url(self) -> str:
        """The virtual host that is there from the start."""
        return self._broker.url(self._broker.port)

    def database(self, name: str) -> str:
        """The URL of a new, empty database."""
        with psycopg.connect(self._database, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self._database.rpartition("/")[0] + f"/{name}"

    def host(self, name: str) -> str:
        """The URL of a new virtual host."""
        asyncio.run(self._make_host(name))
        return self.broker_url.removesuffix("/") + name

    async def _make_host(self, name: str) -> None:
        await self._broker.control("add_vhost", name)
        await self._broker.control("set_permissions", "-p", name, "guest", ".*", ".*", ".*")


def with_servers(work: Callable[[Servers], T]) -> T:
    """Run ``work`` while both servers run. Raises BenchFailed where one is missing or does not start."""
    from proof.servers import ServerFailed, ServerMissing

    try:
        return asyncio.run(_with_servers(work))
    except (ServerFailed, ServerMissing) as error:
        raise BenchFailed(str(error)) from None


async def _with_servers(work: Callable[[Servers], T]) -> T:
    from proof.servers import Broker, Database

    # The servers end with the thread that started them, so this loop stays while the work is done beside it.
    async with Database() as database, Broker() as broker:
        return await asyncio.to_thread(work, Servers(database.url(database.port), broker))
