"""Who is linked with whom in the ten junctions: computed from both ends, so that no list of pairs is kept.

Link `e` of a relation joins left document `e mod L` with right document `(a·e + b) mod R`, where `a` has an inverse
modulo `R`. So the links of a document are found from its number, on either side. Links of documents that will not
become rows are left out on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from math import gcd, lcm
from typing import Literal

from apps.nextcrm.generator.profiles import Links

Side = Literal["both", "left", "right"]


@dataclass(frozen=True)
class Junction:
    """A junction table and the arrays that feed it; `right_field` is None where only one side has an array."""

    name: str
    left: str
    left_field: str
    left_column: str
    right: str
    right_field: str | None
    right_column: str


JUNCTIONS = (
    Junction(
        "DocumentsToInvoices", "Documents", "invoiceIDs", "document_id", "Invoices", "connected_documents", "invoice_id"
    ),
    Junction(
        "DocumentsToOpportunities",
        "Documents",
        "opportunityIDs",
        "document_id",
        "crm_Opportunities",
        "connected_documents",
        "opportunity_id",
    ),
    Junction(
        "DocumentsToContacts", "Documents", "contactsIDs", "document_id", "crm_Contacts", "documentsIDs", "contact_id"
    ),
    Junction("DocumentsToTasks", "Documents", "tasksIDs", "document_id", "Tasks", "documentIDs", "task_id"),
    Junction(
        "DocumentsToCrmAccountsTasks",
        "Documents",
        "crm_accounts_tasksIDs",
        "document_id",
        "crm_Accounts_Tasks",
        None,
        "crm_accounts_task_id",
    ),
    Junction("DocumentsToLeads", "Documents", "leadsIDs", "document_id", "crm_Leads", "documentsIDs", "lead_id"),
    Junction(
        "DocumentsToAccounts", "Documents", "accountsIDs", "document_id", "crm_Accounts", "documentsIDs", "account_id"
    ),
    Junction("AccountWatchers", "crm_Accounts", "watchers", "account_id", "Users", "watching_accountsIDs", "user_id"),
    Junction("BoardWatchers", "Boards", "watchers", "board_id", "Users", "watching_boardsIDs", "user_id"),
    Junction(
        "ContactsToOpportunities",
        "crm_Contacts",
        "opportunitiesIDs",
        "contact_id",
        "crm_Opportunities",
        "connected_contacts",
        "opportunity_id",
    ),
)


class Relation:
    """The links of one junction in one database.

    Args:
        junction: Which.
        lefts: Documents of the left collection.
        rights: Documents of the right collection.
        links: How many.
        avoid_left: Numbers of left documents that become no row.
        avoid_right: The same on the right.
    """

    def __init__(
        self, junction: Junction, lefts: int, rights: int, links: Links, avoid_left: Set[int], avoid_right: Set[int]
    ) -> None:
        self.junction = junction
        self._lefts, self._rights = lefts, rights
        self._avoid_left, self._avoid_right = avoid_left, avoid_right
        most = lcm(lefts, rights) if lefts and rights else 0
        self._on_left = min(links.on_left, most)
        self._count = min(links.on_left + links.right_only, most) if junction.right_field else self._on_left
        self._factor = _coprime(rights)
        self._inverse = pow(self._factor, -1, rights) if rights > 1 else 0

    def side(self, link: int) -> Side:
        """Which documents name a link."""
        if self.junction.right_field is None:
            return "left"
        if link >= self._on_left:
            return "right"
        return "left" if link % 5 == 1 else "both"

    def of_left(self, number: int) -> Iterator[tuple[int, int]]:
        """(link, right document) of a left document."""
        if number in self._avoid_left or not self._count:
            return
        for link in range(number, self._count, self._lefts):
            right = self._right(link)
            if right not in self._avoid_right:
                yield link, right

    def of_right(self, number: int) -> Iterator[tuple[int, int]]:
        """(link, left document) of a right document."""
        if number in self._avoid_right or not self._count:
            return
        for link in range((number - 3) * self._inverse % self._rights, self._count, self._rights):
            left = link % self._lefts
            if left not in self._avoid_left:
                yield link, left

    def pairs(self) -> Iterator[tuple[int, int, int]]:
        """(link, left document, right document) of all links; no pair comes twice."""
        for link in range(self._count):
            left, right = link % self._lefts, self._right(link)
            if left not in self._avoid_left and right not in self._avoid_right:
                yield link, left, right

    def _right(self, link: int) -> int:
        return (self._factor * link + 3) % self._rights


def _coprime(size: int) -> int:
    """A factor that scatters links over a collection and has an inverse there."""
    factor = max(1, round(size * 0.618))
    while gcd(factor, size) > 1:
        factor += 1
    return factor
