"""e-Budgeting: its own export (RKA/DPA) and published budget documents (APBD), both dropped as CSV."""

from bus.contract.feed import Feed
from bus.routes.joining import decoding
from connectors import e_budgeting as connector
from connectors.e_budgeting import apbd as apbd_file
from connectors.e_budgeting import rka as rka_file
from mappings.canonical import BudgetDocumentLine, BudgetLine
from mappings.e_budgeting import apbd, rka

FEEDS = (
    Feed(
        system=connector.SYSTEM,
        name="rka",
        type=BudgetLine.TYPE,
        key=BudgetLine.KEY,
        read=rka_file.read,
        decode=decoding(rka.to_canonical),
        scope=rka.scope,
        subject=rka.record_key,
        recency=rka.event_date,
        snapshot=True,
        agency_field="agency",
    ),
    Feed(
        system=connector.SYSTEM,
        name="apbd",
        type=BudgetDocumentLine.TYPE,
        key=BudgetDocumentLine.KEY,
        read=apbd_file.read,
        decode=decoding(apbd.to_canonical),
        scope=apbd.scope,
        subject=apbd.record_key,
        recency=apbd.event_date,
        snapshot=True,
    ),
)
