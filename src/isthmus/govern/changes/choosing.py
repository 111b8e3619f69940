"""Which model a person means: a path, or a part of one that only one has. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import PurePosixPath

from isthmus.errors import ConfigError

_MOST = 5


def choose_model(said: str, models: Sequence[str]) -> str:
    """Return the model that is meant: by its path, else by the name of its file, else by a part of its path.

    Args:
        said: What a person wrote.
        models: Paths of all that there are, or were until now.

    Raises:
        ConfigError: None of them is meant (code `no-model`), or several are (`several-models`).
    """
    ways: tuple[Callable[[str], bool], ...] = (
        lambda path: path == said,
        lambda path: said in {PurePosixPath(path).name, PurePosixPath(path).name.partition(".")[0]},
        lambda path: said.casefold() in path.casefold(),
    )
    for is_meant in ways:
        found = [path for path in models if is_meant(path)]
        if len(found) == 1:
            return found[0]
        if found:
            raise ConfigError(
                f"{said!r} is a part of {len(found)} models: {_listed(found)}.",
                code="several-models",
                hint="Give more of the path of the one that is meant.",
            )
    near = get_close_matches(said, models, _MOST, cutoff=0.4) or models
    raise ConfigError(
        f"There is no model {said!r}: no glob of the settings takes such a file in.",
        code="no-model",
        hint=f"It has {_listed(near)}." if models else "The globs of changes.models take in no file at all.",
    )


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _MOST} more" if len(paths) > _MOST else ""
    return f"{', '.join(paths[:_MOST])}{more}"
