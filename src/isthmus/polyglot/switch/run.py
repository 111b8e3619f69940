"""One collection moved to the other database: freeze, drain, fence, copy, verify, flip.

Each step may be the last one of the process: what is written down is enough to go on, and each step may be done again.
Until the flip, which is one transaction, the collection lives where it did. What refuses the flip lets writers write
again there at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from isthmus.errors import PolyglotError, Where
from isthmus.polyglot.switch.cancelling import Cancelled, withdraw
from isthmus.polyglot.switch.carrier import Carrier, Compared, Home
from isthmus.polyglot.switch.fence import Fence
from isthmus.polyglot.switch.late import Late
from isthmus.polyglot.switch.ledger import Ledger
from isthmus.polyglot.switch.place import Place, refuse_other, refuse_other_source
from isthmus.polyglot.switch.rows import Move
from isthmus.work.interrupted import Interrupted
from isthmus.work.stages import reached

_LOOK_AGAIN_SECONDS = 0.1


@dataclass(frozen=True)
class Settings:
    """How a collection is moved.

    Attributes:
        goal: Where it goes.
        by: Who says so.
        wait_seconds: How long writers in flight, and then the outbox, are waited for; nobody writes meanwhile.
        fenced: Whether a fence is raised in MongoDB on the way to PostgreSQL.
        replaced: Whether a table or collection that was made anew is taken for the one of before.
    """

    goal: Home
    by: str | None = None
    wait_seconds: float = 10.0
    fenced: bool = True
    replaced: bool = False


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
        late: Removes what the outbox deleted in MongoDB, and came back.
        settle: Waits until what writers were told is done will be read.
        settings: How.
        stop: Ends it before the flip; writers may then write again.
        tell: Gets one sentence a step.
    """

    def __init__(
        self,
        ledger: Ledger,
        carrier: Carrier,
        fence: Fence,
        late: Late,
        settle: Callable[[], None],
        settings: Settings,
        stop: threading.Event,
        tell: Callable[[str], None],
    ) -> None:
        self._ledger = ledger
        self._carrier = carrier
        self._fence = fence
        self._late = late
        self._settle = settle
        self._settings = settings
        self._stop = stop
        self._tell = tell
        self.done = Done()

    def run(self) -> Done:
        """Move the collection, or go on with a move that a process left.

        Raises:
            PolyglotError: It was not switched; the code says why, and writers may write again where they did. With
                `switch-other-table` or `switch-other-source` nothing was begun, or a move that was left stays as it is.
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
        place = self._place(move)
        if move is None:
            move = self._ledger.begin(goal, self._carrier.name, self._settings.by, place)
            reached("switch.begun")
        else:
            self._ledger.go_on(move, self._carrier.name, self._settings.by, place)
            self._tell(f"Going on with a switch that was left behind the step {move.step}.")
        try:
            self._steps(move, ahead=not (move.announced or frozen))
        except BaseException:  # whatever it is, nobody is to be kept waiting for it
            if self.done.outcome != "switched":
                self._withdraw(move)
            raise
        return self.done

    def _place(self, move: Move | None) -> Place:
        """Return what this move is made with.

        Raises:
            PolyglotError: It is not what the move was begun with, or what the collection came to live where it does.
        """
        found = self._fence.place(self._carrier.name)
        place = Place(found.carrier, self._carrier.table(), found.database, found.uuid)
        if self._settings.replaced:
            return place
        lives = self._ledger.lives()
        if move is not None:
            refuse_other(self._ledger.collection, move.place, place, "is being switched with")
        elif lives is not None and self._settings.goal == "mongodb":
            refuse_other(self._ledger.collection, lives, place, "was switched with")
        elif lives is not None:
            refuse_other_source(self._ledger.collection, lives, place, "was switched back to")
        return place

    def _steps(self, move: Move, *, ahead: bool) -> None:
        goal = self._settings.goal
        counts = self._carrier.ahead(goal) if ahead else None
        if counts is not None:
            self.done.counts["ahead"] = counts.get("written", 0)
            self._noted(move, "begun", {"ahead": self.done.counts["ahead"]})
            self._tell(f"{self.done.counts['ahead']:,} documents copied ahead, while others write.")
        self._late.remove()
        self._go_on()
        self._ledger.announce(move)
        reached("switch.announced")
        self._ledger.freeze(wait_seconds=self._settings.wait_seconds, stop=self._stop)
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
            self._refuse_events(*self._ledger.open_events())
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
        while True:
            events, parked = self._ledger.open_events()
            if parked or time.monotonic() >= give_up_at:
                self._refuse_events(events, parked)
            if not events:
                return
            self._go_on()
            self._stop.wait(_LOOK_AGAIN_SECONDS)

    def _refuse_events(self, events: int, parked: int) -> None:
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
            self._fence.lower()
            self.done.fence = "lowered"
        elif self._settings.fenced:
            why = self._fence.raise_()
            self.done.fence = "none" if why else "raised"
            if why is not None:
                self.done.notes.append(f"No fence in MongoDB: {why} The guard alone keeps writers out.")
        self._late.remove()  # what came late is not to be carried along
        self._settle()

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
        done = withdraw(self._ledger, self._fence, move)
        if isinstance(done, Cancelled):
            self._tell(f"Not switched. Writers may write again. {done.note}".rstrip())
        else:
            self._tell(
                f"{self._ledger.collection} may still be frozen: {done} Run the same command again, or isthmus switch"
                " cancel."
            )
