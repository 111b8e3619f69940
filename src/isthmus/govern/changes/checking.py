"""What rules of the log look at: entries and models as they would be committed, and what they were before. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from isthmus.govern.changes.entry import Entry, read_entry
from isthmus.govern.changes.globs import Globs
from isthmus.govern.changes.known import Known
from isthmus.govern.changes.models import ModelChange, changed_models, models_of
from isthmus.govern.changes.names import FOLDER, KEPT, EntryName, parse_entry_name
from isthmus.govern.checking import Scope
from isthmus.govern.repository.history import ADDED, CHANGED, DELETED, Touched
from isthmus.govern.repository.tree import Blob, Tree, from_root
from isthmus.govern.settings import ChangesSettings
from isthmus.govern.utf8 import text_of

STAGED = "what is staged"
"""Stands for a commit's id where a change is not committed yet."""


@dataclass(frozen=True)
class EntryFile:
    """A file in the folder of entries.

    Attributes:
        blob: The file.
        name: Its name taken apart; None where it has not the form.
        entry: What it says; None where it was not read, or is no text.
    """

    blob: Blob
    name: EntryName | None
    entry: Entry | None


@dataclass(frozen=True)
class ChangesChecking:
    """The log of changes, to be checked.

    Attributes:
        settings: Its settings.
        settings_file: Where they stand, from the repository's root.
        project: The project's folder, from the repository's root; empty for the root itself.
        folder: The folder of the settings, from the repository's root.
        globs: Which files are models, by the settings of now or by those that were.
        now: The index.
        before: What it is compared with; one that holds nothing before the first commit.
        head: HEAD; None before the first commit.
        parted: Where the branch parted from its base; None without a base.
        tip: The base as it is now; None without a base.
        merging: Commits that a merge which is going on brings in.
        scope: Which entries rules on their texts look at: `all`, those that are not in HEAD (`staged`), those that the
            base has not (`base`).
        beginning: Whether no settings named models before, so that what is new may still be older than the log's rules.
        texts: Object → content, of entries, CHANGELOG.md and README.md.
        touched: What the commits that the base has not did to models and entries; empty without a base.
        known: What entries may depend on.
        today: The day on which it is checked, UTC.
    """

    settings: ChangesSettings
    settings_file: str
    project: str
    folder: str
    globs: Globs
    now: Tree
    before: Tree
    head: Tree | None = None
    parted: Tree | None = None
    tip: Tree | None = None
    merging: tuple[Tree, ...] = ()
    scope: Scope = "all"
    beginning: bool = True
    texts: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    touched: Sequence[Touched] = ()
    known: Known = field(default_factory=Known)
    today: date = date.max

    @property
    def entries_folder(self) -> str:
        """Where entries are."""
        return f"{self.folder}/{FOLDER}"

    @cached_property
    def entries(self) -> dict[str, EntryFile]:
        """Path → every file in the folder of entries."""
        found: dict[str, EntryFile] = {}
        for blob in self.now.below(self.entries_folder):
            inside = blob.path.removeprefix(f"{self.entries_folder}/")
            if inside != KEPT:
                text = self.text(blob)
                found[blob.path] = EntryFile(blob, parse_entry_name(inside), None if text is None else read_entry(text))
        return found

    @cached_property
    def new(self) -> list[EntryFile]:
        """Entries that were not there before."""
        return [one for one in self.entries.values() if self.is_new(one)]

    @cached_property
    def looked_at(self) -> list[EntryFile]:
        """Entries that rules on names and texts look at."""
        side = {"all": None, "staged": self.head, "base": self.parted}[self.scope]
        held = (side or Tree("nothing")).blobs
        return [one for one in self.entries.values() if held.get(one.blob.path) != one.blob and not self._is_older(one)]

    @cached_property
    def models(self) -> dict[str, Blob]:
        """Path → models that there are."""
        return models_of(self.now, self.globs)

    @cached_property
    def models_before(self) -> dict[str, Blob]:
        """Path → models that there were."""
        return models_of(self.before, self.globs)

    @cached_property
    def changes(self) -> list[ModelChange]:
        """Models that are not what they were, those left out that the base has just so."""
        found = changed_models(self.models_before, self.models)
        if self.tip is None:
            return found
        return [one for one in found if self.now.blobs.get(one.path) != self.tip.blobs.get(one.path)]

    @cached_property
    def staged(self) -> Touched:
        """What is staged, as a commit that comes after all others."""
        before = (self.head or Tree("nothing")).blobs
        now = self.now.blobs
        paths = {path: CHANGED if path in before else ADDED for path, one in now.items() if before.get(path) != one}
        gone = {path: DELETED for path in before if path not in now}
        return Touched(STAGED, paths | gone, frozenset({STAGED}))

    @cached_property
    def ever(self) -> set[str]:
        """Paths of models that there are, were, or were for a while on the branch."""
        passing = {path for one in self.touched for path in one.paths if self.globs.match(path)}
        heads = models_of(self.head, self.globs) if self.head is not None else {}
        return {*self.models, *self.models_before, *heads, *passing}

    def text(self, blob: Blob | None) -> str | None:
        """Return a file's text, lines ended by one line feed; None where it was not read, or is none."""
        found = text_of(None if blob is None else self.texts.get(blob.oid))
        return None if found is None else found.replace("\r\n", "\n")

    def of_root(self, path: str) -> str:
        """Return a path from the project's folder as one from the repository's root."""
        return from_root(self.project, path)

    def of_project(self, path: str) -> str:
        """Return a path from the repository's root as one from the project's folder."""
        return path.removeprefix(f"{self.project}/") if self.project else path

    def names(self, one: EntryFile) -> tuple[str, ...]:
        """Return the models that an entry is about, from the repository's root: one, or both names of a renamed one."""
        model = one.entry.model if one.entry is not None else None
        if model is None:
            return ()
        return tuple(self.of_root(path) for path in (model.path, model.old) if path is not None)

    def is_new(self, one: EntryFile) -> bool:
        """Tell whether an entry was not there before."""
        return one.blob.path not in self.before

    def _is_older(self, one: EntryFile) -> bool:
        since = self.settings.since
        if since is None or one.name is None or one.name.day >= since.isoformat():
            return False
        return self.beginning or not self.is_new(one)
