"""Which model a person means: a path, or a part of one that only one has. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import PurePosixPath

from isthmus.errors import ConfigError
from isthmus.work.listed import listed

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
                f"{said!r} is a part of {len(found)} models: {listed(found, _MOST)}.",
                code="several-models",
                hint="Give more of the path of the one that is meant.",
            )
    near = get_close_matches(said, models, _MOST, cutoff=0.4) or models
    raise ConfigError(
        f"There is no model {said!r}: no glob of the settings takes such a file in.",
        code="no-model",
        hint=f"It has {listed(near, _MOST)}." if models else "The globs of changes.models take in no file at all.",
    )
