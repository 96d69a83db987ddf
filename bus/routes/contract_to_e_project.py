"""Contracts go to e-Project, after the announcement of what they buy.

The announcement and not the result is the parent: the national result feed leaves out packages that the
announcement feed has, and a contract for one of them must not wait for ever.
"""

from bus.contract.route import Parent, Route
from mappings.canonical import Contract, Tender
from mappings.e_project import kontrak

from .joining import encoding
from .keys import key_from

ROUTE = Route(
    name="contract-to-e-project",
    type=Contract.TYPE,
    destination="e-project",
    encode=encoding(Contract, kontrak.from_canonical),
    parents=(Parent(Tender.TYPE, key_from(*Tender.KEY)),),
)
