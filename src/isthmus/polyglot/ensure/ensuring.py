"""`ensure`, for both faces of the driver: what callers call, and how they are told what it does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.collection import Collection

from isthmus.polyglot.ensure.asking import ask, ask_async, checked
from isthmus.polyglot.ensure.belonging import Belonging
from isthmus.polyglot.ensure.deciding import Wanted, deciding
from isthmus.polyglot.ensure.ensured import D, Ensured
from isthmus.polyglot.ensure.filters import stored_form


def ensure(
    collection: Collection[D],
    belonging: Belonging,
    reference: object,
    *,
    email: str | None = None,
    create: Callable[[], Mapping[str, Any]] | None = None,
    timeout_seconds: float = 10.0,
) -> Ensured[D]:
    """Return the one document that belongs to a row: find it, else claim an unclaimed one, else create it.

    1. The document that holds the reference is `found`.
    2. Else the unclaimed document with this e-mail is `claimed`: the reference is written into it, on the condition
       that it is still unclaimed. Of two who claim it for two rows one wins; to the other one it is `taken`. Where
       several unclaimed documents have the e-mail, nobody decides between them: `ambiguous`.
    3. Else a document is `created`. Without a factory there is `none`.

    For one reference there is never a second document, whoever calls this meanwhile, in however many processes. It may
    be called again at any time, and has to be where it raised an error that is retryable.

    It reads and writes MongoDB at once, and joins no transaction. Call it when the row is committed. What shall be
    written together with rows goes through the outbox (`isthmus.polyglot.outbox`), with the `_id` that came from here.

    Args:
        collection: The collection, with the indexes that `ensure_indexes` makes.
        belonging: Which document belongs to a row.
        reference: The row's key.
        email: The row's e-mail, in any form. Only one that its owner has proven: whoever has the e-mail gets the
            document. None: nothing is claimed.
        create: Gives the document that is created, without the reference or with the same one, with or without an
            `_id`. Called once at most, and also where somebody else is faster in the end. What it raises comes out
            here, with nothing written. None: nothing is created.
        timeout_seconds: How long all of it may take.

    Raises:
        PolyglotError: The reference is no key (`ensure-reference`), or the e-mail is none (`ensure-email`); an index is
            missing (`ensure-no-index`), is still being built (`ensure-building`, retryable), or leaves out this
            reference, which no document holds any more (`ensure-left-out`); several documents hold the reference
            (`ensure-duplicate`), or one in another form (`ensure-shape`); what the factory gave cannot be written
            (`ensure-factory`, `ensure-refused`); others were faster each time (`ensure-busy`, retryable); or it is no
            such collection (`ensure-collection`).
        SourceError: MongoDB is in trouble (`source-unreachable`, `source-interrupted`, retryable), refuses the login
            (`source-login`) or gives no right (`source-right`).
    """
    at = checked(collection, Collection, "ensure", "await ensure_async")
    wanted = _wanted(at, belonging, reference, email, create)
    return ask(at, deciding(wanted), create, timeout_seconds)


async def ensure_async(
    collection: AsyncCollection[D],
    belonging: Belonging,
    reference: object,
    *,
    email: str | None = None,
    create: Callable[[], Mapping[str, Any] | Awaitable[Mapping[str, Any]]] | None = None,
    timeout_seconds: float = 10.0,
) -> Ensured[D]:
    """Do what `ensure` does, on a collection of pymongo's AsyncMongoClient. The factory may be awaited.

    Arguments, result and errors: As of `ensure`.
    """
    at = checked(collection, AsyncCollection, "ensure_async", "ensure")
    wanted = _wanted(at, belonging, reference, email, create)
    return await ask_async(at, deciding(wanted), create, timeout_seconds)


def _wanted(collection: Any, belonging: Belonging, reference: object, email: str | None, create: object) -> Wanted:
    belonging.check(reference, collection.name)
    options = collection.codec_options
    return Wanted(
        belonging,
        collection.name,
        stored_form(reference, options.uuid_representation),
        None if email is None else belonging.normalised(email, collection.name),
        email or "",
        create is not None,
        options,
    )
