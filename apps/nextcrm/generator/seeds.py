"""What the application's own seeding puts into its lookup collections; pure data."""

from __future__ import annotations

from typing import Any

_STAGES: tuple[tuple[str, int, int | None], ...] = (
    ("New", 10, 0),
    ("Need analysis", 25, 0),
    ("Signing", 95, None),
    ("Offer sent", 30, None),
    ("Offer accepted", 45, None),
    ("Contract draft", 65, None),
    ("Contract negotiation", 75, None),
    ("Send for signing", 80, None),
    ("Realization of the project", 100, None),
)
_MODULES = (
    "crm",
    "projects",
    "emails",
    "secondBrain",
    "employee",
    "invoice",
    "reports",
    "documents",
    "databox",
    "openai",
)
_ON = {"crm", "projects", "secondBrain", "invoice", "reports", "documents", "openai"}
_TYPES = ("New deal", "Business from partners", "Upsale", "Cross sale")

LOOKUPS: dict[str, tuple[dict[str, Any], ...]] = {
    "crm_Industry_Type": tuple({"name": name} for name in ("Public sector", "Other", "SW Development")),
    "crm_Opportunities_Sales_Stages": tuple(
        {"name": name, "probability": probability, "order": order} for name, probability, order in _STAGES
    ),
    "crm_Opportunities_Type": tuple({"name": name, "order": order} for order, name in enumerate(_TYPES, start=1)),
    "crm_campaigns": ({"name": "Social networks", "status": "ACTIVE"}, {"name": "Cold calls", "status": None}),
    "gpt_models": (
        {"model": "gpt-3.5-turbo", "status": "ACTIVE"},
        {"model": "gpt-4", "status": "INACTIVE"},
        {"model": "gpt-4o", "status": "INACTIVE"},
    ),
    "system_Modules_Enabled": tuple(
        {"name": name, "enabled": name in _ON, "position": position} for position, name in enumerate(_MODULES, start=1)
    ),
}
"""Fields of the first documents of each collection; whole numbers become BSON longs."""
