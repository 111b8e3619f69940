"""Load the metadata that the settings name, by importing the project's own code.

The code is the project's: it runs here, in this process. What it prints goes to standard error, and what it raises
becomes an error with file and line.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import traceback
from collections.abc import Generator, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from types import ModuleType

from sqlalchemy import MetaData

from isthmus.connect.secrets import hide
from isthmus.errors import ConfigError, Where
from isthmus.govern.settings import Project, SchemaSettings

_PLACE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_SOURCES = ("", "src")
"""Folders of a project in which modules are looked for."""


def load_metadata(project: Project, settings: SchemaSettings) -> MetaData:
    """Import the models of a schema, and return their metadata.

    Modules are looked for in the project's folder, in its `src`, and wherever Python finds installed ones.

    Raises:
        ConfigError: The settings name no models (code `no-models`), not as `module:attribute` (`bad-models`), a module
            or an attribute that is not there (`models-missing`), something else than metadata
            (`models-not-metadata`), one without a table (`models-empty`); the import fails (`models-failed`).
    """
    where = Where(file=str(project.file), path=f"schema.models of {settings.title}")
    if settings.models is None:
        raise ConfigError(
            f"The settings of {settings.title} name no models.",
            code="no-models",
            where=Where(file=str(project.file)),
            hint='Write models = "module:attribute" into them, such as models = "shop.models:Base.metadata".',
        )
    module, _, path = settings.models.partition(":")
    if not _PLACE.fullmatch(module) or not _PLACE.fullmatch(path):
        raise ConfigError(
            f"{settings.models!r} names no models.",
            code="bad-models",
            where=where,
            hint='Write "module:attribute", such as "shop.models:Base.metadata".',
        )
    with _importing_from(project.folder), talking_aside():
        found: object = _imported(module, project.folder, where)
        for name in path.split("."):
            try:
                found = getattr(found, name)
            except AttributeError:
                raise ConfigError(
                    f"{module} has no {path}: there is no {name}.",
                    code="models-missing",
                    where=where,
                    hint="Name the metadata of the models, or their base class.",
                ) from None
            except Exception as fault:  # noqa: BLE001  the project's code raises what it likes
                raise _failed(fault, project.folder, f"{module}:{path} cannot be read") from None
    metadata: object = found if isinstance(found, MetaData) else getattr(found, "metadata", None)
    if not isinstance(metadata, MetaData):
        raise ConfigError(
            f"{settings.models} is a {type(found).__name__}, not SQLAlchemy's MetaData.",
            code="models-not-metadata",
            where=where,
            hint="Name the metadata of the models, or their base class.",
        )
    if not metadata.tables:
        raise ConfigError(
            f"{settings.models} has no table.",
            code="models-empty",
            where=where,
            hint="Import the modules of all models there; compared as it is, every table would be dropped.",
        )
    return metadata


def load_module(project: Project, name: str, where: Where) -> ModuleType:
    """Import a module of a project as `load_metadata` does.

    Args:
        project: Where it is looked for.
        name: Its name, with dots.
        where: What names it, for errors.

    Raises:
        ConfigError: It is no name (code `bad-models`), there is none (`models-missing`), or the import fails
            (`models-failed`).
    """
    if not _PLACE.fullmatch(name):
        raise ConfigError(
            f"{name!r} names no module.", code="bad-models", where=where, hint='Write it with dots: "shop.documents".'
        )
    with _importing_from(project.folder), talking_aside():
        return _imported(name, project.folder, where)


@contextmanager
def talking_aside() -> Generator[None]:
    """Send to standard error what the project's code prints, whatever way it takes to standard output."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    try:
        saved = os.dup(1)
    except OSError:  # closed from the start
        with redirect_stdout(sys.stderr):
            yield
        return
    try:
        with suppress(OSError):
            os.dup2(2, 1)
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 1)
        os.close(saved)


@contextmanager
def _importing_from(folder: Path) -> Generator[None]:
    places = [str(folder / one) if one else str(folder) for one in _SOURCES if (folder / one).is_dir()]
    before = list(sys.path)
    sys.path[:0] = places
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = [*(one for one in places if one not in before), *before]  # the models may import later


def _imported(module: str, folder: Path, where: Where) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as fault:
        if fault.name is not None and (module == fault.name or module.startswith(f"{fault.name}.")):
            raise ConfigError(
                f"There is no module {fault.name}.",
                code="models-missing",
                where=where,
                hint=f"It is looked for in {folder}, in its src, and among the packages that are installed beside"
                " isthmus.",
            ) from None
        raise _failed(fault, folder, f"{module} cannot be imported") from None
    except (Exception, SystemExit) as fault:  # noqa: BLE001  the same
        raise _failed(fault, folder, f"{module} cannot be imported") from None


def _failed(fault: BaseException, folder: Path, what: str) -> ConfigError:
    file, line = place_of(fault, folder)
    said = fault.msg if isinstance(fault, SyntaxError) else str(fault)
    return ConfigError(
        f"{what}: {type(fault).__name__}: {hide(' '.join(said.split()) or 'it says nothing')}",
        code="models-failed",
        where=Where(file=file, line=line),
        hint="python -c 'import …' in the project's folder says the same with its whole way.",
    )


def place_of(fault: BaseException, folder: Path) -> tuple[str | None, int | None]:
    """Return file and line at which the project's code failed: the last of it on the way to the fault."""
    if isinstance(fault, SyntaxError) and fault.filename is not None:
        return fault.filename, fault.lineno
    places = list(_places(fault))
    own = [one for one in places if Path(one[0]).is_relative_to(folder) and "site-packages" not in Path(one[0]).parts]
    return (own or places or [(None, None)])[-1]


def _places(fault: BaseException) -> Iterator[tuple[str, int | None]]:
    for frame, line in traceback.walk_tb(fault.__traceback__):
        file = frame.f_code.co_filename
        if not file.startswith("<") and file != __file__:
            yield file, line
