"""Everything that is planted: every mess of the data, each with a name, in documents of its own."""

from __future__ import annotations

from apps.panamia.generator.cases import CASES
from apps.panamia.generator.planting import Case, Plant
from apps.panamia.generator.plants.content import CONTENT
from apps.panamia.generator.plants.others import CIRCLES, FORMS, SIGN_IN
from apps.panamia.generator.plants.profiles import PROFILES
from apps.panamia.generator.plants.references import REFERENCES
from apps.panamia.generator.plants.users import USERS

_EVERYTHING: tuple[Plant | Case, ...] = (*CASES, *USERS, *PROFILES, *REFERENCES, *SIGN_IN, *CONTENT, *CIRCLES, *FORMS)
PEOPLE: tuple[Case, ...] = tuple(one for one in _EVERYTHING if isinstance(one, Case))
"""Those that are people."""
DOCUMENTS: tuple[Plant, ...] = tuple(one for one in _EVERYTHING if isinstance(one, Plant))
"""Those that are further documents."""
CATALOGUE: dict[str, Plant | Case] = {one.name: one for one in _EVERYTHING}
"""By name, in the order in which they are planted."""
