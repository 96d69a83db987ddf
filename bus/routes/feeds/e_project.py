"""e-Project: its packages, polled."""

from bus.contract.feed import Feed
from bus.routes.joining import decoding
from connectors import e_project as connector
from mappings.canonical import Package
from mappings.e_project import paket

FEEDS = (
    Feed(
        system=connector.SYSTEM,
        name="paket",
        type=Package.TYPE,
        key=Package.KEY,
        decode=decoding(paket.to_canonical),
        subject=paket.record_key,
    ),
)
