"""Results (hasil pemilihan) go to e-Project, after the announcement that they end."""

from bus.contract.route import Parent, Route
from mappings.canonical import Award, Tender
from mappings.e_project import hasil

from .joining import encoding
from .keys import key_from

ROUTE = Route(
    name="award-to-e-project",
    type=Award.TYPE,
    destination="e-project",
    encode=encoding(Award, hasil.from_canonical),
    parents=(Parent(Tender.TYPE, key_from(*Tender.KEY)),),
)
