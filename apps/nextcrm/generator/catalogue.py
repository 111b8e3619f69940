"""Everything that is planted: every quirk, legacy shape and fault, each in a document of its own.

`silent` are those that the real run of 2025 carried without a word: they may have been in its data, so the profile
*as run* has them too. `loud` ones would have stopped a batch there, or stood in its log.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bson import Binary, DatetimeMS, Decimal128, Int64, ObjectId, Timestamp

from apps.nextcrm.generator.ids import label
from apps.nextcrm.generator.outcomes import Outcome, holds, joined, kept_aside, letter, lists, orphan, points
from apps.nextcrm.generator.planting import (
    Do,
    Document,
    Plant,
    Spot,
    as_text,
    aside,
    becomes,
    becomes_json,
    dangling,
    gone,
    gone_refused,
    loud,
    missing,
    missing_refused,
    no_id,
    pointing,
    refused,
    silent,
    time_of_id,
    wrong,
)

SOON = datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=UTC)


def _twin(spot: Spot, document: Document) -> list[Outcome]:
    document["email"] = label("Users", spot.number - 1)
    return [joined(label("Users", spot.number - 1))]


def _user_of_twin(spot: Spot, document: Document) -> list[Outcome]:
    document["user"] = spot.ids.of("Users", spot.twins[0])
    return [points("user", "Users", label("Users", spot.twins[0] - 1))]


def _lost_user(spot: Spot, document: Document) -> list[Outcome]:
    document["user"] = spot.ids.of("Users", spot.lost["Users"][0])
    return [orphan("user", document["user"])]


def _lost_board(spot: Spot, document: Document) -> list[Outcome]:
    document["board"] = spot.ids.of("Boards", spot.lost["Boards"][0])
    return [letter("orphan"), orphan("board", document["board"], "dead_letter")]


def _one_account(spot: Spot, document: Document) -> list[Outcome]:
    document["accountsIDs"] = [spot.id("crm_Accounts")]
    return [points("accountsIDs", "crm_Accounts", spot.label("crm_Accounts"))]


def _two_accounts(spot: Spot, document: Document) -> list[Outcome]:
    document["accountsIDs"] = [spot.id("crm_Accounts"), spot.id("crm_Accounts", 1)]
    first = points("accountsIDs", "crm_Accounts", spot.label("crm_Accounts"))
    return [first, kept_aside("accountsIDs", document["accountsIDs"])]


def _shared(spot: Spot, document: Document) -> list[Outcome]:
    document["sharedWith"] = [spot.id("Users"), str(spot.id("Users", 1)), spot.gone()]
    labels = [spot.label("Users"), spot.label("Users", 1)]
    return [lists("sharedWith", "Users", labels), orphan("sharedWith", spot.gone(), "drop")]


def _connected(spot: Spot, document: Document) -> list[Outcome]:
    document["connected_documents"] = [str(spot.id("Documents", 1)), spot.id("Documents", 2), str(spot.gone())]
    labels = [spot.label("Documents", 1), spot.label("Documents", 2)]
    outcome = lists("connected_documents", "Documents", labels)
    return [outcome, orphan("connected_documents", spot.gone(), "drop")]


def _crm_comment(spot: Spot, document: Document) -> list[Outcome]:
    document["task"] = str(spot.id("crm_Accounts_Tasks"))
    to = points("assigned_crm_account_task", "crm_Accounts_Tasks", spot.label("crm_Accounts_Tasks"))
    return [to, holds("task", None)]


def _lost_comment(spot: Spot, document: Document) -> list[Outcome]:
    document["task"] = spot.gone()
    return [letter("orphan")]


def _free_json(_spot: Spot, document: Document) -> list[Outcome]:
    document["connected_documents"] = {"a": 1}
    return [orphan("document_id", '{"a":{"$numberInt":"1"}}', "drop", "DocumentsToInvoices")]


def _own_id(spot: Spot, document: Document) -> list[Outcome]:
    document["_id"] = f"lead-{spot.number}"
    return [holds("firstName", document.get("firstName"))]


_DEEP: dict[str, Any] = {
    "id": ObjectId("64b000000000000000000001"),
    "at": SOON,
    "long": Int64(9_007_199_254_740_993),
    "price": Decimal128("12.50"),
    "raw": Binary(b"\x00\x01"),
    "many": [1, None, "ü"],
}
_DEEP_JSON: dict[str, Any] = {
    "id": "64b000000000000000000001",
    "at": "2024-05-06T07:08:09.123Z",
    "long": 9_007_199_254_740_993,
    "price": 12.5,
    "raw": {"$binary": {"base64": "AAE=", "subType": "00"}},
    "many": [1, None, "ü"],
}

PLANTS: dict[str, tuple[Plant, ...]] = {
    "Users": (
        silent("created-missing", time_of_id("created_on", null=False)),
        silent("created-null", time_of_id("created_on", null=True)),
        silent("v-int32", becomes("__v", 7, 7)),
        silent("v-double", becomes("__v", 12.0, 12)),
        silent("v-missing", missing("__v", 0)),
        loud("v-fraction", refused("__v", 1.5, "fraction")),
        silent("status-unknown", refused("userStatus", "Blocked", "enum")),
        silent("status-missing", missing("userStatus", "PENDING")),
        silent("language-unknown", refused("userLanguage", "fr", "enum")),
        silent("language-null", becomes("userLanguage", None, "en")),
        silent("admin-null", becomes("is_admin", None, False)),
        silent("admin-text", becomes("is_admin", "true", True)),
        silent("unknown-key", aside(favouriteColour="teal", seen=Int64(2**53 + 1))),
        silent("login-text", becomes("lastLoginAt", "2024-05-06T07:08:09.123Z", "2024-05-06T07:08:09.123000")),
        silent("login-timestamp", becomes("lastLoginAt", Timestamp(1_700_000_000, 5), "2023-11-14T22:13:20")),
        loud("login-far", refused("lastLoginAt", DatetimeMS(2**60), "range")),
        silent("login-null", becomes("lastLoginAt", None, None)),
        silent("watching-dangling", dangling("watching_accountsIDs", "AccountWatchers", "account_id")),
        silent("watching-board-dangling", dangling("watching_boardsIDs", "BoardWatchers", "board_id")),
        loud("name-nul", refused("name", "a\0b", "nul")),
        loud("email-null", refused("email", None, "required")),
        loud("email-missing", missing_refused("email")),
        loud("email-twice", Do("email", _twin, "merged")),
    ),
    "crm_Accounts": (
        silent("created-missing", time_of_id("createdAt", null=False)),
        silent("created-null", time_of_id("createdAt", null=True)),
        silent("owner-text", as_text("assigned_to", "Users")),
        loud("creator-gone", gone("createdBy")),
        loud("owner-wrong-collection", wrong("assigned_to", "crm_Contacts")),
        loud("industry-text", no_id("industry", "Software")),
        silent("status-null", becomes("status", None, None)),
        silent("type-missing", missing("type", None)),
        silent(
            "former-keys",
            aside(
                connected_contacts=[ObjectId("64b000000000000000000002")],
                created_by=ObjectId("64b000000000000000000003"),
                date_created=SOON,
                date_last_modified=None,
            ),
        ),
        silent("watcher-gone", dangling("watchers", "AccountWatchers", "user_id")),
        loud("watcher-wrong-collection", dangling("watchers", "AccountWatchers", "user_id", "crm_Contacts")),
        loud("revenue-double", becomes("annual_revenue", 1_500_000.5, "1500000.5")),
        loud("employees-long", becomes("employees", Int64(250), "250")),
        loud("zip-int32", becomes("billing_postal_code", 11000, "11000")),
        loud("name-missing", missing_refused("name")),
        loud("street-nul", refused("billing_street", "\0", "nul")),
    ),
    "crm_Leads": (
        silent("account-text", as_text("accountsIDs", "crm_Accounts")),
        silent("status-null", becomes("status", None, None)),
        silent("created-missing", missing("createdAt", None)),
        silent("former-keys", aside(date_created=SOON, date_modify="yesterday", last_activity_by="Ada")),
        loud("last-name-null", refused("lastName", None, "required")),
        silent("documents-dangling", dangling("documentsIDs", "DocumentsToLeads", "document_id")),
        loud("own-id", Do("_id", _own_id, "apart")),
    ),
    "crm_Opportunities": (
        silent("budget-text", becomes("budget", "25000", 25000)),
        silent("revenue-text-unreadable", refused("expected_revenue", "1 200 Kč", "type")),
        silent("budget-null", becomes("budget", None, 0)),
        silent("budget-missing", missing("budget", 0)),
        silent("budget-int32", becomes("budget", 77, 77)),
        silent("budget-double", becomes("budget", 5000.0, 5000)),
        silent("status-former", becomes("status", "Active", "ACTIVE")),
        silent("status-unknown", refused("status", "Won", "enum")),
        silent("status-null", becomes("status", None, None)),
        silent("created-missing", time_of_id("createdAt", null=False)),
        silent("contact-dangling", dangling("connected_contacts", "ContactsToOpportunities", "contact_id")),
        loud("budget-fraction", refused("budget", 99.5, "fraction")),
        loud("budget-huge", becomes("budget", Int64(9_007_199_254_740_993), 9_007_199_254_740_993)),
        loud("revenue-greatest", becomes("expected_revenue", Int64(2**63 - 1), 2**63 - 1)),
        loud("revenue-decimal", becomes("expected_revenue", Decimal128("1200.00"), 1200)),
        loud("revenue-beyond", refused("expected_revenue", 1e30, "out-of-range")),
        loud("stage-new", no_id("sales_stage", "New")),
        loud("type-new", no_id("type", "New")),
        loud("campaign-text", no_id("campaign", "Spring fair")),
        loud("documents-dangling", dangling("connected_documents", "DocumentsToOpportunities", "document_id")),
    ),
    "crm_Contacts": (
        silent("status-inactive", becomes("status", "Inactive", False)),
        silent("status-active", becomes("status", "Active", True)),
        silent("status-null", becomes("status", None, True)),
        silent("status-missing", missing("status", True)),
        silent("status-unknown", refused("status", "Maybe", "type")),
        silent("birthday-undefined", becomes("birthday", "undefined/5/1980", "undefined/5/1980")),
        silent("tags-missing", missing("tags", None)),
        silent("tags-mixed", becomes("tags", ["a", 1, True], ["a", "1", "true"])),
        silent("notes-empty", becomes("notes", [], [])),
        silent("activity-null", becomes("last_activity", None, None)),
        silent("opportunity-dangling", dangling("opportunitiesIDs", "ContactsToOpportunities", "opportunity_id")),
        loud("account-set", pointing("account", "crm_Accounts")),
        loud("accounts-of-one-day", Do("accountsIDs", _one_account)),
        loud("accounts-two", Do("accountsIDs", _two_accounts)),
        loud("notes-nul", refused("notes", ["ok", "\0"], "nul")),
        loud("last-name-missing", missing_refused("last_name")),
    ),
    "crm_Contracts": (
        silent("status-text", becomes("status", "Signed", "SIGNED")),
        silent("status-null", becomes("status", None, "NOTSTARTED")),
        silent("status-unknown", refused("status", "lost", "enum")),
        loud("value-text", becomes("value", "1200", 1200)),
        silent("value-double", becomes("value", 1200.0, 1200)),
        loud("value-huge", refused("value", Int64(5_000_000_000), "out-of-range")),
    ),
    "Boards": (
        loud("user-missing", missing_refused("user")),
        loud("user-gone", gone_refused("user")),
        silent("shared", Do("sharedWith", _shared)),
        silent("shared-missing", missing("sharedWith", None)),
        silent("favourite-null", becomes("favourite", None, None)),
        silent("former-keys", aside(date_created=SOON, last_edited=SOON)),
        loud("position-bool", becomes("position", True, 1)),
        silent("position-int32", becomes("position", -5, -5)),
        silent("watcher-gone", dangling("watchers", "BoardWatchers", "user_id")),
    ),
    "Sections": (
        loud("board-gone", gone_refused("board")),
        loud("board-lost", Do("board", _lost_board, "letter")),
        silent("position-double", becomes("position", 3.0, 3)),
    ),
    "Tasks": (
        loud("section-gone", gone("section")),
        loud("user-lost", Do("user", _lost_user)),
        loud("user-twin", Do("user", _user_of_twin)),
        silent("due-timestamp", becomes("dueDateAt", Timestamp(1_700_000_000, 1), "2023-11-14T22:13:20")),
        silent("due-null", becomes("dueDateAt", None, None)),
        silent("created-text", becomes("createdAt", "2024-02-29T23:59:59.999Z", "2024-02-29T23:59:59.999000")),
        silent("likes-null", becomes("likes", None, None)),
        loud("position-text", becomes("position", "3", 3)),
        silent("tags-false", becomes_json("tags", False, False)),
        silent("tags-deep", becomes_json("tags", _DEEP, _DEEP_JSON)),
        loud("tags-nan", refused("tags", [float("nan")], "nan")),
        loud("tags-nul", refused("tags", ["a\0"], "nul")),
        silent("status-unknown", refused("taskStatus", "DONE", "enum")),
        silent("former-keys", aside(account=ObjectId("64b000000000000000000004"), contact="Ada", opportunity=None)),
        silent("documents-dangling", dangling("documentIDs", "DocumentsToTasks", "document_id")),
        loud("priority-missing", missing_refused("priority")),
    ),
    "crm_Accounts_Tasks": (
        silent("due-null", becomes("dueDateAt", None, None)),
        silent("tags-null", becomes("tags", None, None)),
        loud("account-wrong-collection", wrong("account", "Users")),
    ),
    "tasksComments": (
        loud("crm-task-as-text", Do("task", _crm_comment)),
        loud("task-gone", Do("task", _lost_comment, "letter")),
        loud("task-missing", missing_refused("task")),
        loud("user-gone", gone_refused("user")),
    ),
    "Documents": (
        loud("name-null", refused("document_name", None, "required")),
        loud("mime-missing", missing_refused("document_file_mimeType")),
        loud("connected", Do("connected_documents", _connected)),
        loud("connected-json", refused("connected_documents", {"id": "x"}, "type")),
        silent("size-double", becomes("size", 2048.0, 2048)),
        loud("size-huge", refused("size", Int64(3_000_000_000), "out-of-range")),
        silent("tags-text", becomes_json("tags", "plain", "plain")),
        silent("former-key", aside(account="Ada & Co")),
        loud("type-text", no_id("document_type", "offer")),
        silent(
            "crm-task-dangling",
            dangling("crm_accounts_tasksIDs", "DocumentsToCrmAccountsTasks", "crm_accounts_task_id"),
        ),
        silent("favourite-null", becomes("favourite", None, None)),
        silent("v-missing", missing("__v", None)),
    ),
    "Invoices": (
        silent("updated-missing", time_of_id("last_updated", null=False)),
        silent("visibility-private", becomes("visibility", "private", False)),
        silent("visibility-public", becomes("visibility", "public", True)),
        silent("visibility-null", becomes("visibility", None, True)),
        silent("visibility-unknown", refused("visibility", "team", "type")),
        silent("connected-json", Do("connected_documents", _free_json)),
        loud("amount-double", becomes("invoice_amount", 1210.5, "1210.5")),
        silent("favorite-null", becomes("favorite", None, None)),
        silent(
            "former-keys",
            aside(
                account="a",
                user=ObjectId("64b000000000000000000005"),
                invoice_state="new",
                inovice_currency="CZK",
                partner_address={"city": "Brno"},
            ),
        ),
    ),
    "TodoList": (
        loud("user-gone", gone_refused("user")),
        loud("user-object-id", pointing("user", "Users")),
        loud("created-date", becomes("createdAt", SOON, "2024-05-06T07:08:09.123Z")),
    ),
    "openAi_keys": (loud("user-gone", gone_refused("user")),),
    "secondBrain_notions": (loud("user-missing", missing_refused("user")),),
    "Employees": (
        silent("salary-int32", becomes("salary", 50_000, 50_000)),
        loud("salary-fraction", refused("salary", 0.5, "fraction")),
    ),
    "modulStatus": (silent("visible-text", becomes("isVisible", "true", True)),),
    "system_Modules_Enabled": (
        silent("former-keys", aside(icon="x", menuItem=True, open=False, route="/crm")),
        silent("enabled-text", becomes("enabled", "false", False)),
    ),
    "gpt_models": (loud("status-unknown", refused("status", "RETIRED", "enum")),),
}
"""Plants by collection, in the order in which they get their documents."""
