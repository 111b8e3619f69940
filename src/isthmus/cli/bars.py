"""Draw progress: bars on a terminal; elsewhere plain lines every ten seconds, if the work takes as long."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import ExitStack
from types import TracebackType

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from isthmus.cli.interrupt import tidied_before_leaving
from isthmus.cli.output import err, plural, show_note
from isthmus.connect.secrets import hide
from isthmus.work.amounts import duration_text, size_text
from isthmus.work.progress import CollectionProgress, Part, Progress, Snapshot

# Who reads a log wants to know that a long copy is alive; of a short one the result says enough.
_QUIET_SECONDS = 10.0
_LINE_SECONDS = 10.0
_TERMINAL_HERTZ = 5
_MOST_BARS = 15
_MOST_NAMES = 4
_WIDE = 100
"""Columns from which on numbers have their nouns."""
_MOST_OF_A_STEP = 0.95
"""What is not counted in a step comes before and behind what is."""
_ETA_SECONDS = 3.0
"""So long steps are watched before anybody says how long the others will take."""
_STAGES = {
    "preflight": "Looking at source and target",
    "identities": "Finding out who is one with whom",
    "delivering": "Delivering to the tables that exist",
    "restoring": "Putting back: indexes, keys, statistics",
    "verifying": "Comparing what was read before",
    "copying": "Copying",
    "retrying": "Retrying dead letters",
    "finishing": "Finishing: keys, references, indexes",
    "complete": "Complete",
    "surveying": "Reading every document",
    "collecting": "Collecting natural keys",
    "looking up": "Looking references up",
    "opening": "Looking at source and target",
    "reading the source": "Reading every document",
    "comparing rows": "Comparing every row",
    "rewriting": "Rewriting references in documents",
    "putting back": "Putting old ids back",
}


_LOOKING = frozenset({"surveying", "collecting", "looking up", "reading the source", "rewriting"})
"""Stages that carry nothing, so that no dead letters are made."""

_MOVING = frozenset({"copying", "retrying"}) | _LOOKING
"""Stages that go through bytes."""


def overall(snapshot: Snapshot) -> tuple[int, int | None, float, float | None]:
    """Return bytes done, bytes in all, bytes a second of this session, seconds left; None for what is unknown."""
    done = sum(entry.bytes_done for entry in snapshot.collections)
    sizes = [entry.bytes_total for entry in snapshot.collections if not entry.broken]
    total = None if any(size is None for size in sizes) else sum(size or 0 for size in sizes)
    rate = (done - snapshot.bytes_before) / snapshot.seconds if snapshot.seconds > 0 else 0.0
    left = (total - done) / rate if total is not None and rate > 0 and total >= done else None
    return done, total, rate, left


class ProgressView:
    """Shows a copy or a survey while it works; a context manager around it.

    Args:
        progress: The live numbers. Its notes are shown as lines.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._over = threading.Event()
        self._leaving = ExitStack()
        self._live = Live(console=err, auto_refresh=False, transient=True) if err.is_terminal else None
        self._thread = threading.Thread(target=self._draw, name="isthmus-progress", daemon=True)
        progress.on_note = self.note

    def note(self, text: str) -> None:
        """Show a sentence above the bars."""
        if text.startswith("("):  # a finding begins with its code
            show_note(err, text, style="yellow")
        else:
            err.print(Text(hide(text), style="yellow"))

    def __enter__(self) -> ProgressView:
        if self._live is not None:
            self._leaving.enter_context(tidied_before_leaving(self._clear))
            self._live.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._leaving:
            self._clear()

    def _clear(self) -> None:
        """Take the bars off the terminal; safe to repeat."""
        self._over.set()
        self._thread.join()
        if self._live is not None:
            self._live.stop()

    def _draw(self) -> None:
        due = Due(time.monotonic())
        while not self._over.wait(1 / _TERMINAL_HERTZ):
            snapshot = self._progress.snapshot()
            if self._live is not None:
                self._live.update(render(snapshot, err.width), refresh=True)
            elif due.now(snapshot.stage, time.monotonic()):
                sys.stderr.write(line(snapshot) + "\n")


class Due:
    """Decides when a line is due where no terminal is: none while the work is young, then for each stage and in time.

    Args:
        begun: When the work began, in seconds of any clock.
    """

    def __init__(self, begun: float) -> None:
        self._quiet_until = self._next = begun + _QUIET_SECONDS
        self._last_stage = ""

    def now(self, stage: str, seconds: float) -> bool:
        """Tell whether to print a line now; who is told so prints it."""
        if seconds < self._quiet_until or (seconds < self._next and stage == self._last_stage):
            return False
        self._last_stage = stage
        self._next = seconds + _LINE_SECONDS
        return True


def line(snapshot: Snapshot) -> str:
    """Return the progress as one line of plain text."""
    head = _head(snapshot)
    if _in_steps(snapshot):
        number = min(snapshot.steps_done + 1, snapshot.steps_total)
        share = f"{_whole_percent(_steps_done(snapshot), snapshot.steps_total)} %"
        part = f": {_part(snapshot.part, ', ')}" if snapshot.part is not None else ""
        left = _steps_left(snapshot, ", ")
        return f"{head}: step {number} of {snapshot.steps_total}, {share} ({snapshot.step}{part}){left}"
    if snapshot.stage not in _MOVING:
        return f"{head}: {snapshot.step}" if snapshot.step else head
    done, total, rate, left = overall(snapshot)
    documents = f"{_of(*_all_documents(snapshot))} {_noun(snapshot)}"
    letters = _letters(snapshot, ", ")
    share = f" of {size_text(total)} ({_whole_percent(done, total)} %)" if total else ""
    eta = f", about {duration_text(left)} left{_then(snapshot)}" if left is not None else ""
    finished = sum(map(_finished, snapshot.collections))
    at_work = [entry for entry in snapshot.collections if entry.documents and not _finished(entry)]
    tables = f"; {finished} of {plural(len(snapshot.collections), 'collection')}"
    tables += "".join(
        f", {entry.name} {_percent(entry)} ({_of(entry.documents, _in_all(entry))})" for entry in at_work[:_MOST_NAMES]
    )
    return f"{head}: {documents}, {size_text(done)}{share}, {size_text(rate)}/s{eta}{letters}{tables}"


def render(snapshot: Snapshot, width: int) -> Group:
    """Return the progress as bars: one a collection that is not finished, those at work or broken first, and a sum."""
    head = Text(_head(snapshot), style="bold", no_wrap=True, overflow="ellipsis")
    if _in_steps(snapshot):
        done = _steps_done(snapshot)
        share = f"{_whole_percent(done, snapshot.steps_total)} %"
        facts = (
            f"  {share}  {snapshot.steps_done} of {snapshot.steps_total}{_steps_left(snapshot, '  ')}  {snapshot.step}"
        )
        head.append(facts, style="not bold dim")
        rows = Table.grid()
        rows.add_row(_bar(done, snapshot.steps_total, max(10, min(60, width - 4))))
        if snapshot.part is not None:
            rows.add_row(Text(_part(snapshot.part, "  "), style="dim", no_wrap=True, overflow="ellipsis"))
        return Group(head, rows)
    if snapshot.stage not in _MOVING:
        head.append(f"  {snapshot.step}" if snapshot.step else "", style="not bold dim")
        return Group(head)
    done, total, rate, left = overall(snapshot)
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=max(12, width // 4))
    table.add_column(width=max(8, min(30, width // 5)))
    table.add_column(justify="right", no_wrap=True, min_width=5)
    table.add_column(no_wrap=True)
    shown = sorted((entry for entry in snapshot.collections if not _finished(entry)), key=_waits)
    finished = len(snapshot.collections) - len(shown)
    wide = width >= _WIDE
    for entry in shown[:_MOST_BARS]:
        table.add_row(
            entry.name, _bar(entry.bytes_done, entry.bytes_total), _percent(entry), _numbers(entry, wide=wide)
        )
    if len(shown) > _MOST_BARS:
        table.add_row(f"… {len(shown) - _MOST_BARS} more", "", "", "")
    amount = f"{size_text(done)} of {size_text(total)}" if total and wide else size_text(done)
    share = f"{_whole_percent(done, total)} %" if total else ""
    documents = _of(*_all_documents(snapshot)) + (f" {_noun(snapshot)}  {amount}" if wide else f"  {amount}")
    table.add_row(Text("all", style="bold"), _bar(done, total), share, documents)
    eta = f"  ETA {duration_text(left)}{_then(snapshot) if wide else ''}" if left is not None else ""
    letters = _letters(snapshot, "  ")
    collections = plural(len(snapshot.collections), "collection")
    facts = f"  {finished} of {collections}  {size_text(rate)}/s{eta}{letters}"
    head.append(facts, style="not bold dim")
    return Group(head, table)


def _head(snapshot: Snapshot) -> str:
    if snapshot.stage == "verifying" and snapshot.steps_total:  # a copy that compares what it read has no steps
        return "Verifying"
    return _STAGES.get(snapshot.stage, snapshot.stage)


def _in_steps(snapshot: Snapshot) -> bool:
    """Tell whether a stage goes on in steps, not in bytes."""
    return snapshot.steps_total > 0 and snapshot.stage not in _MOVING


def _letters(snapshot: Snapshot, gap: str) -> str:
    if snapshot.stage in _LOOKING:
        return ""
    return f"{gap}dead letters {sum(entry.dead_letters for entry in snapshot.collections):,}"


def _finished(entry: CollectionProgress) -> bool:
    return not entry.broken and entry.bytes_total is not None and entry.bytes_done >= entry.bytes_total


def _waits(entry: CollectionProgress) -> bool:
    """Tell whether nothing of a collection was read yet, so that its bar stands still."""
    return not entry.broken and not entry.bytes_done and not entry.documents


def _bar(done: float, total: int | None, width: int | None = None) -> ProgressBar:
    return ProgressBar(
        total=total or None, completed=min(done, total) if total else 0, width=width, pulse=total is None
    )


def _then(snapshot: Snapshot) -> str:
    """Return what the time that is left does not count."""
    return ", then finishing" if snapshot.stage == "copying" else ""


def _percent(entry: CollectionProgress) -> str:
    return f"{_whole_percent(entry.bytes_done, entry.bytes_total)} %" if entry.bytes_total else ""


def _whole_percent(done: float, total: int) -> int:
    """Return a share in whole percent; 100 only of what is done."""
    return 100 if done >= total else int(100 * done / total)


def _steps_done(snapshot: Snapshot) -> float:
    """Return how many steps are done, and how much of the one in hand."""
    part = snapshot.part
    share = part.done / part.total if part is not None and part.total else 0.0
    return min(snapshot.steps_done + min(share, _MOST_OF_A_STEP), snapshot.steps_total)


def _steps_left(snapshot: Snapshot, gap: str) -> str:
    """Return about how long the steps that are left will take, by those that are done; empty where nobody can tell.

    They differ in length: when the one in hand takes longer than all were guessed to, there is no guess any more. The
    layers of a verification are not alike at all.
    """
    if not snapshot.steps_done or snapshot.seconds < _ETA_SECONDS or snapshot.stage == "verifying":
        return ""
    before = snapshot.seconds - snapshot.step_seconds
    left = before * (snapshot.steps_total - snapshot.steps_done) / snapshot.steps_done - snapshot.step_seconds
    return f"{gap}about {duration_text(left)} left" if left > 0 else ""


def _part(part: Part, gap: str) -> str:
    """Return how far a step is: `3,577 of 7,950 documents`, its share, and about how long the rest will take."""
    if part.total is None:
        return f"{part.done:,} {part.what}"
    amount = _of(part.done, part.total) if part.about else f"{part.done:,} of {part.total:,}"
    text = f"{amount} {part.what}"
    if part.total:
        text += f"{gap}{_whole_percent(part.done, part.total)} %"
    if part.even and part.seconds >= _ETA_SECONDS and 0 < part.done < part.total:
        text += f"{gap}about {duration_text(part.seconds * (part.total - part.done) / part.done)} left"
    return text


def _in_all(entry: CollectionProgress) -> int | None:
    """Return how many documents a collection has, by the size of those that were read; None where nobody can tell."""
    if not entry.documents or not entry.bytes_total or not entry.bytes_done:
        return None
    return round(entry.documents * max(1.0, entry.bytes_total / entry.bytes_done))


def _all_documents(snapshot: Snapshot) -> tuple[int, int | None]:
    """Return documents done, and about how many there are; of a collection not begun they are as large as others."""
    done = sum(entry.documents for entry in snapshot.collections)
    size = sum(entry.bytes_done for entry in snapshot.collections)
    totals = [entry.bytes_total for entry in snapshot.collections if not entry.broken]
    if not done or not size or any(total is None for total in totals):
        return done, None
    known = [(_in_all(entry), entry.bytes_total or 0) for entry in snapshot.collections if not entry.broken]
    return done, round(sum(total * done / size if found is None else found for found, total in known))


def _of(done: int, total: int | None) -> str:
    """Return documents done of how many: `3,577 of ~7,950`, three digits of a number that nobody counted."""
    if total is None:
        return f"{done:,}"
    if total <= done:
        return f"{done:,} of {done:,}"
    step = 10 ** max(0, len(str(total)) - 3)
    return f"{done:,} of ~{max(done, round(total / step) * step):,}"


def _noun(snapshot: Snapshot) -> str:
    done, total = _all_documents(snapshot)
    return "document" if (total or done) == 1 else "documents"


def _numbers(entry: CollectionProgress, *, wide: bool) -> Text:
    if entry.broken:
        return Text("broken off", style="red")
    total = _in_all(entry)
    text = Text(_of(entry.documents, total))
    if wide:
        text.append(" document" if (total or entry.documents) == 1 else " documents")
    if entry.dead_letters:
        text.append(f"  {plural(entry.dead_letters, 'dead letter')}", style="yellow")
    return text
