"""Words and small makers for believable CRM values. Nothing here is a real person or company."""

from __future__ import annotations

from random import Random

FIRST = (
    "Ada",
    "Björn",
    "Chloé",
    "Dmitri",
    "Eszter",
    "Farid",
    "Grażyna",
    "Hiroshi",
    "Inês",
    "Jürgen",
    "Kateřina",
    "Liam",
    "Mei",
    "Noor",
    "Olga",
    "Pedro",
    "Quinn",
    "Rosa",
    "Søren",
    "Tereza",
    "Uri",
    "Vera",
    "Wanjiru",
    "Xavier",
    "Yara",
    "Zoë",
)
LAST = (
    "Almeida",
    "Bergström",
    "Černý",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Horváth",
    "Ivanova",
    "Jansen",
    "Kowalski",
    "Larsen",
    "Müller",
    "Nagy",
    "O'Brien",
    "Petrov",
    "Quist",
    "Rossi",
    "Şahin",
    "Tanaka",
    "Ueda",
    "Virtanen",
    "Weiß",
    "Xu",
    "Yüksel",
    "Železný",
)
COMPANY = (
    "Amber",
    "Birch",
    "Copper",
    "Delta",
    "Ember",
    "Fjord",
    "Granite",
    "Harbor",
    "Iris",
    "Juniper",
    "Kestrel",
    "Lumen",
    "Meadow",
    "North",
    "Orchid",
)
TRADE = (
    "Analytics",
    "Brewing",
    "Ceramics",
    "Dynamics",
    "Energy",
    "Freight",
    "Glass",
    "Hydraulics",
    "Instruments",
    "Joinery",
    "Logistics",
)
FORM = ("GmbH", "s.r.o.", "Ltd", "SARL", "AB", "S.p.A.", "株式会社")
CITY = ("Brno", "Köln", "Lyon", "Malmö", "Porto", "Łódź", "Athína", "Kyōto")
VERB = (
    "Call",
    "Prepare",
    "Review",
    "Send",
    "Update",
    "Check",
    "Sign",
    "Archive",
    "Translate",
    "Invoice",
)
THING = (
    "the offer",
    "the contract",
    "meeting notes",
    "a price list",
    "the annex",
    "travel costs",
    "the roadmap",
    "the demo 🎬",
)
TAGS = ("urgent", "vip", "renewal", "legal", "ž/š", "q1", "q2", "on hold", "")
SENTENCE = (
    "Spoke on the phone, wants a new offer by Friday.",
    "No answer yet — try again after the holidays.",
    "Budget is approved; the lawyer reads the contract.",
    'Said: "too expensive", but asked for references.',
    "Přeposláno z e-mailu.\nViz příloha.",
    "Prefers e-mail 📧 over calls.\tTabs and\\backslashes included.",
)


def company(rng: Random) -> str:
    """Return a company name."""
    return f"{rng.choice(COMPANY)} {rng.choice(TRADE)} {rng.choice(FORM)}"


def phone(rng: Random) -> str:
    """Return a phone number from a range that is kept for fiction."""
    return f"+420 555 {rng.randrange(1000):03d} {rng.randrange(1000):03d}"


def tags(rng: Random) -> list[str]:
    """Return zero to three different tags."""
    return rng.sample(TAGS, rng.randrange(4))


def password_hash(rng: Random) -> str:
    """Return text in the shape of a bcrypt hash; it is the hash of nothing."""
    alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return "$2b$12$" + "".join(rng.choice(alphabet) for _ in range(53))
