"""Budget lines go to e-Project, where packages are planned on them."""

from bus.contract.route import Route
from mappings.canonical import BudgetLine
from mappings.e_project import budget_line

from .joining import encoding

ROUTE = Route(
    name="budget-line-to-e-project",
    type=BudgetLine.TYPE,
    destination="e-project",
    encode=encoding(BudgetLine, budget_line.from_canonical),
)
