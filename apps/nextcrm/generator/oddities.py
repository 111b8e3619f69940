"""Plants that no single verb says: changes of several fields, of ids, or to what other plants left, and great values.

Each function changes one sound document and returns what must become of it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bson import Binary, Decimal128, Int64, ObjectId

from apps.generating.outcomes import Outcome, holds, joined, kept_aside, letter, lists, orphan, points
from apps.nextcrm.generator.ids import LABELS, OLD_CAMPAIGNS, label
from apps.nextcrm.generator.planting import Do, Document, Spot

SOON = datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=UTC)
EARLY = datetime(1899, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
LAST_INSTANT = datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
"""The last that the application's own language shows with four digits of the year."""


def twin(spot: Spot, document: Document) -> list[Outcome]:
    """A user with the e-mail of the user before."""
    document["email"] = label("Users", spot.number - 1)
    return [joined(label("Users", spot.number - 1))]


def user_of_twin(spot: Spot, document: Document) -> list[Outcome]:
    """A reference to a user who is joined into another."""
    document["user"] = spot.ids.of("Users", spot.twins[0])
    return [points("user", "Users", label("Users", spot.twins[0] - 1))]


def lost_user(spot: Spot, document: Document) -> list[Outcome]:
    """A reference to a user who becomes a dead letter."""
    document["user"] = spot.ids.of("Users", spot.lost["Users"][0])
    return [orphan("user", document["user"])]


def lost_board(spot: Spot, document: Document) -> list[Outcome]:
    """A board that becomes a dead letter, where there must be one."""
    document["board"] = spot.ids.of("Boards", spot.lost["Boards"][0])
    return [letter("orphan"), orphan("board", document["board"], "dead_letter")]


def one_account(spot: Spot, document: Document) -> list[Outcome]:
    """The array in which one account stood for a day in 2023."""
    document["accountsIDs"] = [spot.id("crm_Accounts")]
    return [points("accountsIDs", "crm_Accounts", spot.label("crm_Accounts"))]


def two_accounts(spot: Spot, document: Document) -> list[Outcome]:
    """The same with two accounts."""
    document["accountsIDs"] = [spot.id("crm_Accounts"), spot.id("crm_Accounts", 1)]
    first = points("accountsIDs", "crm_Accounts", spot.label("crm_Accounts"))
    return [first, kept_aside("accountsIDs", document["accountsIDs"])]


def shared(spot: Spot, document: Document) -> list[Outcome]:
    """Ids as they are, as text, and of nothing."""
    document["sharedWith"] = [spot.id("Users"), str(spot.id("Users", 1)), spot.gone()]
    labels = [spot.label("Users"), spot.label("Users", 1)]
    return [lists("sharedWith", "Users", labels), orphan("sharedWith", spot.gone(), "drop")]


def connected(spot: Spot, document: Document) -> list[Outcome]:
    """Ids kept as text, as they are, and of nothing."""
    document["connected_documents"] = [str(spot.id("Documents", 1)), spot.id("Documents", 2), str(spot.gone())]
    labels = [spot.label("Documents", 1), spot.label("Documents", 2)]
    outcome = lists("connected_documents", "Documents", labels)
    return [outcome, orphan("connected_documents", spot.gone(), "drop")]


def crm_comment(spot: Spot, document: Document) -> list[Outcome]:
    """The id of a CRM task, as text, where an ordinary task is meant."""
    document["task"] = str(spot.id("crm_Accounts_Tasks"))
    to = points("assigned_crm_account_task", "crm_Accounts_Tasks", spot.label("crm_Accounts_Tasks"))
    return [to, holds("task", None)]


def lost_comment(spot: Spot, document: Document) -> list[Outcome]:
    """The id of no task at all."""
    document["task"] = spot.gone()
    return [letter("orphan")]


def own_task_alone(spot: Spot, document: Document) -> list[Outcome]:
    """A CRM task in the field that is meant for it, and nothing else."""
    document.pop("task", None)
    document["assigned_crm_account_task"] = spot.id("crm_Accounts_Tasks")
    return [_crm_task(spot), holds("task", None)]


def own_task_same(spot: Spot, document: Document) -> list[Outcome]:
    """One CRM task in both fields."""
    document["task"] = document["assigned_crm_account_task"] = spot.id("crm_Accounts_Tasks")
    return [_crm_task(spot), holds("task", None)]


def own_task_beside(spot: Spot, document: Document) -> list[Outcome]:
    """An ordinary task and, as text, a CRM task: there is a column for each."""
    document["task"] = spot.id("Tasks")
    document["assigned_crm_account_task"] = str(spot.id("crm_Accounts_Tasks"))
    aside = kept_aside("assigned_crm_account_task", document["assigned_crm_account_task"])
    return [points("task", "Tasks", spot.label("Tasks")), _crm_task(spot), aside]


def own_task_second(spot: Spot, document: Document) -> list[Outcome]:
    """Two CRM tasks, for which there is one column."""
    document["task"], other = spot.id("crm_Accounts_Tasks"), spot.id("crm_Accounts_Tasks", 1)
    document["assigned_crm_account_task"] = other
    return [_crm_task(spot), holds("task", None), kept_aside("assigned_crm_account_task", other)]


def own_task_gone(spot: Spot, document: Document) -> list[Outcome]:
    """An ordinary task, and the id of no CRM task."""
    document["task"], document["assigned_crm_account_task"] = spot.id("Tasks"), spot.gone()
    aside = kept_aside("assigned_crm_account_task", spot.gone())
    return [points("task", "Tasks", spot.label("Tasks")), holds("assigned_crm_account_task", None), aside]


def _crm_task(spot: Spot) -> Outcome:
    return points("assigned_crm_account_task", "crm_Accounts_Tasks", spot.label("crm_Accounts_Tasks"))


def free_json(_spot: Spot, document: Document) -> list[Outcome]:
    """JSON of no fixed form, where a list of ids belongs."""
    document["connected_documents"] = {"a": 1}
    return [orphan("document_id", '{"a":{"$numberInt":"1"}}', "drop", "DocumentsToInvoices")]


def _text_id(collection: str, number: int) -> str:
    return f"{collection}-{number} ü'"


def own_id(spot: Spot, document: Document) -> list[Outcome]:
    """An `_id` that is a text, with letters that need quoting."""
    document["_id"] = _text_id(spot.collection, spot.number)
    column, _ = LABELS[spot.collection]
    return [holds(column, label(spot.collection, spot.number))]


def number_id(spot: Spot, document: Document) -> list[Outcome]:
    """An `_id` that is a number."""
    document["_id"] = spot.number
    return [holds("name", label(spot.collection, spot.number))]


def of_own_id(path: str, collection: str) -> Do:
    """The id of a document whose `_id` is a text."""

    def change(spot: Spot, document: Document) -> list[Outcome]:
        number = spot.apart[collection][0]
        document[path] = _text_id(collection, number)
        return [points(path, collection, label(collection, number))]

    return Do(path, change)


def two_creators(spot: Spot, document: Document) -> list[Outcome]:
    """The two columns for one fact, which do not agree."""
    document["created_by"], document["createdBy"] = spot.id("Users"), spot.id("Users", 1)
    names = (spot.label("Users"), spot.label("Users", 1))
    return [points("created_by", "Users", names[0]), points("createdBy", "Users", names[1])]


def campaign_of_old(spot: Spot, document: Document) -> list[Outcome]:
    """A campaign that stands in the collection with the misspelt name."""
    document["campaign"] = spot.ids.of(OLD_CAMPAIGNS, 1)
    return [points("campaign", "crm_campaigns", label(OLD_CAMPAIGNS, 1))]


DEEP: dict[str, Any] = {
    "id": ObjectId("64b000000000000000000001"),
    "at": SOON,
    "long": Int64(9_007_199_254_740_993),
    "price": Decimal128("12.50"),
    "raw": Binary(b"\x00\x01"),
    "many": [1, None, "ü"],
}
DEEP_JSON: dict[str, Any] = {
    "id": "64b000000000000000000001",
    "at": "2024-05-06T07:08:09.123Z",
    "long": 9_007_199_254_740_993,
    "price": 12.5,
    "raw": {"$binary": {"base64": "AAE=", "subType": "00"}},
    "many": [1, None, "ü"],
}


def _nested(levels: int) -> Any:
    """JSON so many levels deep, objects and arrays by turns."""
    value: Any = "ü"
    for level in range(levels):
        value = [value] if level % 2 else {"d": value}
    return value


DEEPEST = _nested(99)
"""As deep as a server takes it: 100 levels with the document's own."""
LONG_TEXT = "A line of the log that somebody pasted „ü“.\n" * 7_000
"""About 330 kB: more than a batch holds where memory is short."""
