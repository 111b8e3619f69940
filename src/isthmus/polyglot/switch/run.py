"""One collection moved to the other database: freeze, drain, fence, copy, verify, flip.

Each step may be the last one of the process: what is written down is enough to go on, and each step may be done again.
Until the flip, which is one transaction, the collection lives where it did. What refuses the flip lets writers write
again there at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from isthmus.errors import IsthmusError, PolyglotError, SourceError, Where
from isthmus.polyglot.outbox.apply import Applier, MongoAway
from isthmus.polyglot.switch.carrier import Carrier, Compared, Home
from isthmus.polyglot.switch.fence import Fence
from isthmus.polyglot.switch.ledger import Ledger, Move
from isthmus.work.interrupted import Interrupted
from isthmus.work.stages import reached

_log = logging.getLogger(__name__)

_LOOK_AGAIN_SECONDS = 0.1


@dataclass(frozen=True)
class Settings:
    """How a collection is moved.

    Attributes:
        goal: Where it goes.
        by: Who says so.
        wait_seconds: How long writers in flight, and then the outbox, are waited for; nobody writes meanwhile.
        fenced: Whether a fence is raised in MongoDB on the way to PostgreSQL.
    """

    goal: Home
    by: str | None = None
    wait_seconds: float = 10.0
    fenced: bool = True


@dataclass
class Done:
    """What a move came to.

    Attributes:
        outcome: `switched`; `there`: it lived there already.
        generation: How often the collection has changed its home.
        frozen_seconds: How long nobody could write.
        counts: Documents, those copied ahead (`ahead`), those written and removed in the freeze, those verified.
        fence: `raised`, `lowered`, `none`.
        notes: What else a person should know.
    """

    outcome: str = "there"
    generation: int = 0
    frozen_seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict[str, int])
    fence: str = "none"
    notes: list[str] = field(default_factory=list[str])


class Mover:
    """Moves one collection.

    Args:
        ledger: Its rows, held by this process.
        carrier: Copies and verifies.
        fence: In MongoDB.
        applier: Confirms the outbox's deletes in MongoDB.
        settings: How.
        stop: Ends it before the flip; writers may then write again.
        tell: Gets one sentence a step.
    """

    def __init__(
        self,
        ledger: Ledger,
        carrier: Carrier,
        fence: Fence,
        applier: Applier,
        settings: Settings,
        stop: threading.Event,
        tell: Callable[[str], None],
    ) -> None:
        self._ledger = ledger
        self._carrier = carrier
        self._fence = fence
        self._applier = applier
        self._settings = settings
        self._stop = stop
        self._tell = tell
        self.done = Done()

    def run(self) -> Done:
        """Move the collection, or go on with a move that a process left.

        Raises:
            PolyglotError: It was not switched; the code says why, and writers may write again where they did.
            IsthmusError: A server is in trouble, or something cannot be used.
            Interrupted: The stop was set before the flip; writers may write again.
        """
        home, self.done.generation, frozen = self._ledger.stands()
        move = self._ledger.open_move()
        goal = self._settings.goal
        if move is not None and move.goal != goal:
            raise PolyglotError(
                f"A switch of {self._ledger.collection} to {move.goal} is under way.",
                code="switch-under-way",
                where=Where(collection=self._ledger.collection),
                hint="Go on with it, or end it with isthmus switch cancel.",
            )
        if home == goal:
            return self.done
        self._carrier.check(goal)
        if move is None:
            move = self._ledger.begin(goal, self._carrier.name, self._settings.by)
            reached("switch.begun")
        else:
            self._ledger.go_on(move, self._carrier.name, self._settings.by)
            self._tell(f"Going on with a switch that was left behind the step {move.step}.")
        try:
            self._steps(move, ahead=not (move.announced or frozen))
        except (IsthmusError, psycopg.Error, Interrupted):
            self._withdraw(move)
            raise
        return self.done

    def _steps(self, move: Move, *, ahead: bool) -> None:
        goal = self._settings.goal
        counts = self._carrier.ahead(goal) if ahead else None
        if counts is not None:
            self.done.counts["ahead"] = counts.get("written", 0)
            self._noted(move, "begun", {"ahead": self.done.counts["ahead"]})
            self._tell(f"{self.done.counts['ahead']:,} documents copied ahead, while others write.")
        self._go_on()
        self._ledger.announce(move)
        reached("switch.announced")
        self._ledger.freeze(wait_seconds=self._settings.wait_seconds)
        self._noted(move, "frozen")
        reached("switch.frozen")
        self._tell("Frozen: nobody writes.")
        self._drain()
        self._noted(move, "drained")
        reached("switch.drained")
        self._shut_out(goal)
        self._noted(move, "fenced")
        reached("switch.fenced")
        self._go_on()
        counts = self._carrier.copy(goal)
        self.done.counts |= counts
        self._noted(move, "copied", counts)
        reached("switch.copied")
        self._tell(f"{counts.get('written', 0):,} documents written, {counts.get('removed', 0):,} removed.")
        self._go_on()
        compared = self._carrier.verify(goal)
        self.done.counts["verified"] = compared.documents
        self._refuse_differences(compared)
        self._ledger.step(move, "verified", {"verified": compared.documents}, compared.contents)
        reached("switch.verified")
        self._tell(f"{compared.documents:,} documents compared, none differs.")
        self._go_on()
        with self._ledger.connection.transaction():
            self._refuse_events()
            generation, seconds = self._ledger.flip(move, self._settings.by, forget_fence=goal == "mongodb")
            reached("switch.flip-before-commit")
        self.done.outcome, self.done.generation = "switched", generation
        self.done.frozen_seconds = seconds
        reached("switch.flip-after-commit")

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise Interrupted

    def _noted(self, move: Move, step: str, counts: Mapping[str, int] | None = None) -> None:
        self._ledger.step(move, step, counts)

    def _drain(self) -> None:
        """Wait until the outbox has nothing for the collection.

        Raises:
            PolyglotError: It has (code `switch-outbox`).
        """
        give_up_at = time.monotonic() + self._settings.wait_seconds
        while self._ledger.open_events()[0]:
            events, parked = self._ledger.open_events()
            if parked or time.monotonic() >= give_up_at:
                self._refuse_events()
                return
            self._go_on()
            self._stop.wait(_LOOK_AGAIN_SECONDS)
            _log.debug("%s events of the outbox are open.", events)

    def _refuse_events(self) -> None:
        events, parked = self._ledger.open_events()
        if events:
            raise PolyglotError(
                f"The outbox has {events:,} events of {self._ledger.collection} not applied yet, {parked:,} parked.",
                code="switch-outbox",
                where=Where(collection=self._ledger.collection),
                hint="Let isthmus outbox run apply them; answer parked ones with isthmus outbox retry or skip.",
                retryable=not parked,
            )

    def _shut_out(self, goal: Home) -> None:
        """Raise the fence on the way to PostgreSQL, lower it on the way back; then confirm the outbox's deletes."""
        if goal == "mongodb":
            why = self._fence.lower()
            if why is not None:
                raise PolyglotError(
                    f"The fence of {self._ledger.collection} cannot be lowered. {why}",
                    code="switch-fence",
                    where=Where(collection=self._ledger.collection),
                    hint="Give the user of SOURCE the right collMod (role dbAdmin), and run the same command again.",
                )
            self.done.fence = "lowered"
        elif self._settings.fenced:
            why = self._fence.raise_()
            self.done.fence = "none" if why else "raised"
            if why is not None:
                self.done.notes.append(f"No fence in MongoDB: {why} The guard alone keeps writers out.")
        for event in self._ledger.unconfirmed():  # what came late is not to be carried along
            try:
                self._applier.confirm(event)
            except MongoAway as fault:
                message = f"MongoDB is in trouble: {fault}"
                hint = "Run the same command again when it is well."
                raise SourceError(message, code="source-unreachable", hint=hint, retryable=True) from None

    def _refuse_differences(self, compared: Compared) -> None:
        if not compared.total:
            return
        shown = "; ".join(f"{one.id[:80]} {one.what}" for one in compared.differences[:5])
        raise PolyglotError(
            f"{compared.total:,} of {compared.documents:,} documents of {self._ledger.collection} differ: {shown}.",
            code="switch-differs",
            where=Where(collection=self._ledger.collection),
            hint="Nothing was switched. Find who wrote past the guard, and run the same command again.",
            context={"differences": compared.total},
        )

    def _withdraw(self, move: Move) -> None:
        """Let writers write again where they did; what cannot be done is said."""
        try:
            cancel(self._ledger, self._fence, move)
        except (IsthmusError, psycopg.Error):
            with suppress(IsthmusError, psycopg.Error):
                self._ledger.connection.rollback()
            _log.warning(
                "The collection %s may still be frozen: run isthmus switch cancel, or the same command again.",
                self._ledger.collection,
            )
        else:
            self._tell("Not switched. Writers may write again.")


def cancel(ledger: Ledger, fence: Fence | None, move: Move | None) -> float:
    """Let a collection be written again where it lives, and end its move. Committed.

    Args:
        ledger: Its rows.
        fence: In MongoDB; None where MongoDB is not to be asked.
        move: What is under way; None: nothing.

    Returns:
        How many seconds nobody could write.

    Raises:
        SourceError: MongoDB is in trouble; nothing was changed in PostgreSQL.
        PolyglotError: The fence cannot be lowered (code `switch-fence`); nothing was changed in PostgreSQL.
    """
    home, _, _ = ledger.stands()
    if fence is not None and ledger.fence() is not None:
        why = fence.lower() if home == "mongodb" else fence.raise_()
        if why is not None and home == "mongodb":
            raise PolyglotError(
                f"The fence of {ledger.collection} cannot be lowered. {why}",
                code="switch-fence",
                where=Where(collection=ledger.collection),
                hint="Give the user of SOURCE the right collMod (role dbAdmin), and run isthmus switch cancel again.",
            )
        if home == "mongodb":
            ledger.forget_fence()
    return ledger.thaw(move) if move is not None else 0.0
