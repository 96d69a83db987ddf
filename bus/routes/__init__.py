"""Every flow of the hub, one file each; this list is complete and nothing registers itself."""

from dataclasses import replace

from bus.contract.feed import Feed
from bus.contract.route import Route

from . import (
    award_to_e_project,
    budget_line_to_e_project,
    contract_to_e_project,
    package_to_e_procurement,
    tender_to_e_project,
)
from .feeds import e_budgeting, e_procurement, e_project
from .mapping_release import RELEASE

ROUTES: tuple[Route, ...] = tuple(
    replace(route, mapping=RELEASE)
    for route in (
        budget_line_to_e_project.ROUTE,
        package_to_e_procurement.ROUTE,
        tender_to_e_project.ROUTE,
        award_to_e_project.ROUTE,
        contract_to_e_project.ROUTE,
    )
)

FEEDS: tuple[Feed, ...] = (*e_budgeting.FEEDS, *e_project.FEEDS, *e_procurement.FEEDS)
