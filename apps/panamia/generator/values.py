"""Plain values: names, addresses, texts, instants, and the few that are hostile. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

FIRST_NAMES = (
    "Ana", "Björn", "Chantal", "Dayanara", "Esteban", "Fátima", "Guerline", "Hernán", "Inés", "João", "Kenia", "李",
    "Marisleysis", "Ñusta", "O'Shane", "Philippe", "Qadira", "René", "Soledad", "Þóra", "أمل", "Ximena", "Yéssica",
)  # fmt: skip
LAST_NAMES = (
    "Pérez", "O'Neil", "Jean-Baptiste", "Díaz", "Núñez", "Toussaint", "de la Cruz", "Бондар", "Gómez", "St. Fleur",
    "Martínez", "Álvarez", "الحداد", "Sánchez", "van der Berg", "Guzmán", 'Ruiz "Rey"',
)  # fmt: skip
_FIRST_PLAIN = (
    "ana", "bjorn", "chantal", "dayanara", "esteban", "fatima", "guerline", "hernan", "ines", "joao", "kenia", "li",
    "marisleysis", "nusta", "oshane", "philippe", "qadira", "rene", "soledad", "thora", "amal", "ximena", "yessica",
)  # fmt: skip
_DOMAINS = ("example.org", "example.com", "mail.example.net", "correo.example", "panas.example.org")
CITIES = ("Miami", "Hialeah", "Fort Lauderdale", "West Palm Beach", "Opa-locka", "Lake Worth Beach", "Doral")
WORDS = (
    "arepa", "cafecito", "mural", "salsa", "konpa", "taller", "mercado", "fútbol", "poesía", "terraza", "guagua",
    "sazón", "🌴", "ritmo", "pastelito", "comunidad", "barrio",
)  # fmt: skip
INTERESTS = ("paint", "ceramics", "grants", "web", "sewing", "photo", "sound", "accounting", "español")

DAY = 86_400
TODAY = datetime(2026, 1, 12, 12, tzinfo=UTC)
"""When the database is copied; what expires before it has expired."""
NOW = int(TODAY.timestamp())
FIRST = int(datetime(2019, 5, 1, tzinfo=UTC).timestamp())
FAR = datetime(2099, 1, 1, tzinfo=UTC)
"""When expires what has not expired yet, so that a truth does not depend on the day on which it is read."""
EARLY = datetime(1969, 7, 20, 20, 17, 40, 999000, tzinfo=UTC)
"""An instant before 1970."""
CANONICAL = "k7w2m9x4q0z8v5t1r6y3s0n2"
"""An id of the target, as a reference holds it once it is rewritten; of a row that may be there."""

HOSTILE = (
    "\u202eÖ\u0301 'q' \"dq\" `b` \\ \t\r\n $1 %s {x} ; -- /* \u202bعربي\u202c"
    " \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001d513\U0001d51e\U0001d52b\U0001d51e \ufeff\u2028."
)
"""Quotes of all kinds, a combining accent, both directions, four-byte letters, a line separator."""
LONG = "Un párrafo que alguien pegó „muchas veces“, con 🌴 y comillas 'simples'.\n" * 4_000
"""About 320 kB."""
NUL = "before\0after"

_PARAGRAPHS = tuple(
    " ".join(WORDS[(start + step * place) % len(WORDS)] for place in range(40)).capitalize() + "."
    for start in range(len(WORDS))
    for step in (1, 3, 5)
)


def name(number: int) -> str:
    """The name of a person; many people share one."""
    return f"{FIRST_NAMES[number % 23]} {LAST_NAMES[number // 3 % 17]}"


def email(number: int) -> str:
    """The e-mail of a person, in lower case; nobody else has it."""
    return f"{_FIRST_PLAIN[number % 23]}.{number}@{_DOMAINS[number % 5]}"


def text(kind: str, number: int) -> str:
    """A short text; no two kinds have one in common."""
    return f"{WORDS[number % 17]} {WORDS[number // 7 % 17]} ({kind} {number})"


def paragraph(number: int) -> str:
    """A longer text; the same comes again."""
    return _PARAGRAPHS[number % 51]


def article(number: int) -> str:
    """A text of one to four paragraphs."""
    return "\n\n".join(_PARAGRAPHS[(number + place * 7) % 51] for place in range(1 + number % 4))


def slug(number: int) -> str:
    """A text as it stands in a URL."""
    return f"{_FIRST_PLAIN[number % 23]}-{number}"


def url(kind: str, number: int) -> str:
    """A URL."""
    return f"https://example.org/{kind}/{number}?v=%20{number % 7}"


def token(number: int, salt: int) -> str:
    """64 hex digits."""
    return f"{(number * 2_654_435_761 + salt) % 2**61:016x}{number:016x}{salt:032x}"


def nanoid(number: int, length: int) -> str:
    """Letters as the application draws its ids, 16 at least."""
    return f"V_{number * 2_654_435_761 % 2**28:0{length - 9}x}-{number:06x}"


def at(seconds: int) -> datetime:
    """An instant, of whole milliseconds."""
    return datetime.fromtimestamp(seconds + seconds * 7919 % 1000 / 1000, UTC)
