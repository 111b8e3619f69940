"""Which document belongs to a row: by which field, and by which e-mail until then. Pure.

E-mails are compared as identities compare them (`normalise` of a mapping): one meaning, one function.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args
from uuid import UUID

from isthmus.errors import PolyglotError
from isthmus.mapping.reading.choosing import normalised
from isthmus.mapping.rules import Normalise
from isthmus.polyglot.references.forms import FORMS, Form

PLAIN: dict[object, Form] = {str: FORMS["text"], UUID: FORMS["uuid"], int: FORMS["bigint"]}
"""What keys look like of which nothing but the type is known."""


@dataclass(frozen=True)
class Belonging:
    """Which document of a collection belongs to a row.

    A document whose reference is absent, null or an empty text belongs to nobody: it is unclaimed.

    Attributes:
        reference: Path of the field that holds the row's key: `userId`, `owner.id`.
        holds: What that field holds: `str`, `UUID`, `int`, an annotation with a reference
            (`Annotated[str, PgRef["users.id"]]`), or the document's model, which declares the field with one.
        email: Path of the field with the e-mail by which an unclaimed document is recognised; None: none is claimed.
        normalise: What is done to e-mails before they are compared, as `normalise` of a mapping says it.

    Raises:
        PolyglotError: A path is none, or one lies inside the other, or a step of `normalise` is none (code
            `ensure-belonging`).
    """

    reference: str
    holds: Any = str
    email: str | None = None
    normalise: tuple[Normalise, ...] = ("trim", "lower")

    def __post_init__(self) -> None:
        for path in (self.reference, *(() if self.email is None else (self.email,))):
            if not _is_path(path):
                raise _no_belonging(f"{path!r} is no path of a field.", "Write it as MongoDB does: userId, owner.id.")
        if self.reference.split(".")[0] == "_id":
            raise _no_belonging("The reference cannot be _id, which never changes.", "Name the field with the key.")
        if self.email is not None and _overlap(self.reference, self.email):
            raise _no_belonging(
                f"The reference {self.reference} and the e-mail {self.email} are one field.", "Name two fields."
            )
        steps = get_args(Normalise)
        strange = [one for one in self.normalise if one not in steps]
        if isinstance(self.normalise, str) or strange:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise _no_belonging(f"normalise is {self.normalise!r}.", f"Give some of {', '.join(steps)}, in a tuple.")

    @cached_property
    def form(self) -> Form:
        """What keys look like.

        Raises:
            PolyglotError: `holds` does not say it (codes `ensure-belonging`, `pg-ref`).
        """
        if isinstance(self.holds, type) and self.holds in PLAIN:
            return PLAIN[self.holds]
        from isthmus.polyglot.ensure.holding import form_held

        return form_held(self.holds, self.reference)

    def check(self, value: object, collection: str) -> None:
        """Refuse what can be no key of the row.

        Raises:
            PolyglotError: So it is (code `ensure-reference`), or `holds` does not say it (as `form`).
        """
        fault = self.form.fault(value)
        if fault is None and value == "":
            fault = "this is empty, which says of a document that it belongs to nobody"
        if fault is not None:
            raise PolyglotError(
                f"{self.reference} of {collection} cannot be ensured: {fault}; a key is {self.form.words}.",
                code="ensure-reference",
                hint="Give the key of the row as PostgreSQL has it.",
            )

    def normalised(self, email: object, collection: str) -> str:
        """Return an e-mail as it is compared.

        Raises:
            PolyglotError: It is none, or no e-mail is looked at (code `ensure-email`).
        """
        if self.email is None:
            raise _no_email(f"No field of {collection} is said to hold the e-mail.", "Say it: Belonging(…, email=…).")
        if not isinstance(email, str):
            raise _no_email(
                f"The e-mail is of type {type(email).__name__}.", "Give a text, or None where there is no e-mail."
            )
        text = normalised(email, self.normalise)
        if not text:
            raise _no_email("The e-mail is empty, which recognises nobody.", "Give None where the row has no e-mail.")
        if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise _no_email("The e-mail holds characters that no database can store.", "Look where it comes from.")
        return text

    def is_of(self, stored: object, email: str) -> bool:
        """Tell whether a stored e-mail is the same as a normalised one."""
        return isinstance(stored, str) and normalised(stored, self.normalise) == email


def _is_path(path: object) -> bool:
    if not isinstance(path, str) or "\0" in path:
        return False
    return all(step and not step.startswith("$") for step in path.split("."))


def _overlap(one: str, other: str) -> bool:
    first, second = one.split("."), other.split(".")
    shorter = min(len(first), len(second))
    return first[:shorter] == second[:shorter]


def _no_belonging(message: str, hint: str) -> PolyglotError:
    return PolyglotError(message, code="ensure-belonging", hint=hint)


def _no_email(message: str, hint: str) -> PolyglotError:
    return PolyglotError(message, code="ensure-email", hint=hint)
