"""The links of a running engine: sinks, polled sources and drop folders, as the settings name them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from bus.contract.feed import Source
from bus.contract.sink import Sink
from bus.engine.destination import Destination
from bus.engine.pace import Pace
from bus.engine.subscribing import Subscription, live
from bus.engine.taken import Taken
from connectors import e_budgeting, e_procurement, e_project
from connectors.e_project.sink import EProjectSink
from connectors.e_project.source import EProjectPackages
from connectors.kit.drop import DropSettings, LocalDropFolder
from connectors.kit.errors_csv import errors_csv
from connectors.kit.guarded import GuardedResolver, refuse_literals
from connectors.kit.http import HttpClient
from connectors.webhook.sink import WebhookSink

from .outbound import may_call
from .settings import Settings

WEBHOOK_CONNECTIONS = 64


@dataclass(slots=True)
class Links:
    """Opened once per engine; ``destinations`` may be asked again and keeps the objects it has given."""

    settings: Settings
    sinks: dict[str, Sink] = field(default_factory=dict)
    sources: dict[tuple[str, str], Source] = field(default_factory=dict)
    drops: dict[tuple[str, str], LocalDropFolder] = field(default_factory=dict)
    rates: dict[str, float | None] = field(default_factory=dict)
    _known: dict[str, Destination] = field(default_factory=dict)
    _webhooks: HttpClient = field(init=False)

    def __post_init__(self) -> None:
        judge = partial(may_call, settings=self.settings)
        self._webhooks = HttpClient(
            refuse_literals(judge), per_host=WEBHOOK_CONNECTIONS, resolver=partial(GuardedResolver, judge)
        )

    def destinations(self, connection: Connection) -> Iterable[Destination]:
        """Every system with a sink, and every living subscription."""
        listed: dict[str, Destination] = {}
        for system, sink in self.sinks.items():
            listed[system] = self._known.get(system) or Destination(system, system, sink, Pace(self.rates.get(system)))
        for subscription in live(connection):
            destination = self._known.get(subscription.destination) or self._subscribed(subscription)
            if destination is not None:
                listed[destination.name] = destination
        self._known = listed
        return list(listed.values())

    def _subscribed(self, subscription: Subscription) -> Destination | None:
        """None where the subscription cannot be served: its deliveries wait, and nothing else suffers."""
        try:
            sink = WebhookSink(subscription.url, subscription.secret, self._webhooks)
        except ValueError as error:
            sys.stderr.write(f"subscription {subscription.id} of {subscription.system} cannot be served: {error}\n")
            return None
        pace = Pace(self.settings.subscription_rate)
        return Destination(subscription.destination, subscription.system, sink, pace)

    async def close(self) -> None:
        for sink in [destination.sink for destination in self._known.values()]:
            await sink.close()
        for source in self.sources.values():
            await source.close()
        for folder in self.drops.values():
            folder.close()
        await self._webhooks.close()


def open_links(settings: Settings) -> Links:
    """Nothing is connected yet: clients open when first used, inside the loop that uses them."""
    links = Links(settings)
    if settings.e_project is not None:
        links.sinks[e_project.SYSTEM] = EProjectSink(settings.e_project)
        links.rates[e_project.SYSTEM] = settings.e_project.rate
        links.sources[e_project.SYSTEM, "paket"] = EProjectPackages(settings.e_project)
    if settings.e_procurement is not None:
        # Reading WSDL takes a second to import; a hub that speaks no SOAP starts without it.
        from connectors.e_procurement.sink import EProcurementSink
        from connectors.e_procurement.source import SpseAnnouncements

        links.sinks[e_procurement.SYSTEM] = EProcurementSink(settings.e_procurement)
        links.rates[e_procurement.SYSTEM] = settings.e_procurement.rate
        links.sources[e_procurement.SYSTEM, "spse-pengumuman"] = SpseAnnouncements(settings.e_procurement)
    return links


def open_drops(links: Links, feeds: Iterable[tuple[str, str]]) -> None:
    """Watch a folder for each of these file feeds."""
    for system, feed in feeds:
        suffixes = (".csv",) if system == e_budgeting.SYSTEM else (".json", ".csv")
        folder = links.settings.drop_folder(system, feed)
        links.drops[system, feed] = LocalDropFolder(
            folder, DropSettings(suffixes=suffixes, settle_seconds=links.settings.drop_settle_seconds)
        )


def clerk_file(taken: Taken) -> bytes:
    """The refused rows of a file, for whoever dropped it."""
    return errors_csv(taken.reading, {bad.row.number: bad.problems for bad in taken.rejected})
