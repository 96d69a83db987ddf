"""Packages that e-Project has planned go to e-Procurement, once the budget line that pays for them is known."""

from bus.contract.route import Parent, Route
from mappings.canonical import BudgetLine, Package
from mappings.e_procurement import paket

from .joining import encoding
from .keys import key_from

ROUTE = Route(
    name="package-to-e-procurement",
    type=Package.TYPE,
    destination="e-procurement",
    encode=encoding(Package, paket.from_canonical),
    when=lambda data: data["register"] == "e-project",
    parents=(Parent(BudgetLine.TYPE, key_from(*BudgetLine.KEY)),),
)
