"""Reading what is said of places inside jsonb: `rewrite` (ids that are replaced) and `rename` (keys)."""

from __future__ import annotations

from isthmus.mapping.keys import REWRITE_KEYS
from isthmus.mapping.paths import parse_path
from isthmus.mapping.reading.nodes import MapNode, Node
from isthmus.mapping.reading.reader import Place, Reader, shorten
from isthmus.mapping.rules import FieldPath, Rename, Rewrite


def read_rewrite(reader: Reader, node: Node, place: Place) -> tuple[Rewrite, ...]:
    """Read `rewrite`: paths with the collection whose ids stand there, or with {to: …, others: keep}."""
    rewrites: list[Rewrite] = []
    for text, value in reader.entries(node, place, "`rewrite`"):
        at = (*place, text)
        path = _path(reader, text, at)
        to, keep_others = value, False
        if isinstance(value, MapNode):
            found = reader.keys(value, at, "A rewritten place", REWRITE_KEYS)
            if "others" in found:
                reader.choice(found["others"], (*at, "others"), "`others`", ("keep",), "keep")
                keep_others = True
            if "to" not in found:
                reader.report(
                    "missing-key", at, "This place has no `to`.", "Name a collection: {to: users, others: keep}."
                )
                continue
            to, at = found["to"], (*at, "to")
        collection = reader.text(to, at, "A collection's name")
        if path is not None:
            rewrites.append(Rewrite(path=path, collection=collection, keep_others=keep_others))
    return tuple(sorted(rewrites, key=lambda rewrite: rewrite.path))


def read_rename(reader: Reader, node: Node, place: Place) -> tuple[Rename, ...]:
    """Read `rename`: paths with the key that is written instead of their last one."""
    renames: list[Rename] = []
    for text, value in reader.entries(node, place, "`rename`"):
        at = (*place, text)
        path = _path(reader, text, at)
        to = reader.text(value, at, "A key")
        if path is None or not to:
            continue
        if path[-1] == "[]":
            message = f"`{shorten(text)}` ends with an element of an array, which has no key."
            reader.report("bad-rename", at, message, "End with the key that is renamed: `[].street1`.")
        elif to == path[-1]:
            reader.report("bad-rename", at, f"`{shorten(to)}` is what the key is called already.", "Remove it.")
        elif "\0" in to:
            reader.report("bad-rename", at, "A key of jsonb cannot have a NUL character.", "Choose another key.")
        else:
            renames.append(Rename(path=path, to=to))
    return tuple(sorted(renames, key=lambda rename: rename.path))


def _path(reader: Reader, text: str, place: Place) -> FieldPath | None:
    """Read a path inside jsonb; `[]` behind a key, or alone, becomes a step of its own."""
    path = parse_path(text)
    if path is None:
        hint = "Write keys with dots between them, and `[]` for every element: `[].userId`, `items[].ref`."
        reader.report("bad-path", place, f"The path `{shorten(text)}` has an empty key.", hint)
        return None
    steps: list[str] = []
    for part in path:
        key, depth = part, 0
        while key.endswith("[]"):
            key, depth = key[:-2], depth + 1
        steps += [key] * bool(key) + ["[]"] * depth
    return tuple(steps)
