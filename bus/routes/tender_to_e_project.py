"""Announcements (pengumuman) go back to e-Project, whose planners wait for them."""

from bus.contract.route import Route
from mappings.canonical import Tender
from mappings.e_project import pengumuman

from .joining import encoding

ROUTE = Route(
    name="tender-to-e-project",
    type=Tender.TYPE,
    destination="e-project",
    encode=encoding(Tender, pengumuman.from_canonical),
)
