"""Finds every error code in the Python sources, with the sentence and the hint that come with it.

Reads the source text and runs none of it. A code is the `code=` of a call to an error class of `isthmus.errors`, or
what a check gives to `Problem` or to a method `report`, which collects problems. Where `code`, message or hint is a
name, its constants are looked for in the same function; where it is a parameter, in the calls to that function in the
same module. A function that takes both as parameters stands for the error it makes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef

# What the positional arguments are; errors take only the message so.
FINDINGS: dict[str, tuple[str, ...]] = {
    "Problem": ("code", "message", "where", "hint"),
    "report": ("code", "place", "message", "hint"),
}
ERROR: tuple[str, ...] = ("message",)


@dataclass(frozen=True, order=True)
class Raised:
    """One place where an error is made.

    Attributes:
        kind: Name of the error class, or `Problem`.
        code: Its code.
        message: Its sentence, with `{name}` where a value stands; empty when it is not written out there.
        hint: Its hint likewise.
        module: File, relative to the source root.
    """

    kind: str
    code: str
    message: str
    hint: str
    module: str


def error_classes(errors_file: Path) -> dict[str, tuple[str, int]]:
    """Read name, own code and exit code of each error class of `errors.py`, in order."""
    found: dict[str, tuple[str, int]] = {}
    for node in ast.parse(errors_file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
            values: dict[str, object] = {}
            for item in node.body:
                target = item.target if isinstance(item, ast.AnnAssign) else None
                if isinstance(item, ast.Assign):
                    target = item.targets[0]
                if isinstance(target, ast.Name) and isinstance(item, ast.Assign | ast.AnnAssign):
                    values[target.id] = item.value.value if isinstance(item.value, ast.Constant) else None
            found[node.name] = (str(values["code"]), int(str(values["exit_code"])))
    return found


def template(node: ast.expr | None) -> str | None:
    """Write a string expression as text, `{name}` for each inserted value; None when it is no string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts: list[str] = []
        for value in node.values:
            if isinstance(value, ast.Constant):
                parts.append(str(value.value))
            elif isinstance(value, ast.FormattedValue):
                parts.append("{" + placeholder(value.value) + "}")
        return "".join(parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = template(node.left), template(node.right)
        return None if left is None and right is None else (left or "…") + (right or "…")
    return None


def placeholder(node: ast.expr) -> str:
    """Name an inserted value by the last name in its expression."""
    if isinstance(node, ast.Name):
        return node.id.lower().lstrip("_")
    if isinstance(node, ast.Attribute):
        return node.attr.lstrip("_")
    if isinstance(node, ast.Call):
        return placeholder(node.args[0] if node.args else node.func)
    if isinstance(node, ast.Subscript):
        return placeholder(node.value)
    if isinstance(node, ast.BoolOp):
        return placeholder(node.values[0])
    return "…"


class Module:
    """One parsed source file, with the questions the search asks of it."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self.tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        self.functions = {n.name: n for n in ast.walk(self.tree) if isinstance(n, Function)}
        self.constants = {
            target.id: node.value
            for node in self.tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }

    def imported(self) -> Iterator[tuple[str, str, str]]:
        """Yield what is imported by name: the name here, the module, and the name there."""
        for node in self.tree.body:
            if isinstance(node, ast.ImportFrom) and node.module is not None and not node.level:
                yield from ((one.asname or one.name, node.module, one.name) for one in node.names)

    def calls(self) -> Iterator[tuple[Function | None, ast.Call]]:
        """Yield each call once, with the innermost function it stands in."""

        def walk(node: ast.AST, inside: Function | None) -> Iterator[tuple[Function | None, ast.Call]]:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.Call):
                    yield inside, child
                yield from walk(child, child if isinstance(child, Function) else inside)

        return walk(self.tree, None)

    def texts(self, node: ast.expr | None, inside: Function | None, depth: int = 0) -> list[str]:
        """Return every text an expression can stand for, as far as this file tells; empty when it does not."""
        written = template(node)
        if written is not None:
            return [written]
        if isinstance(node, ast.IfExp):
            return self.texts(node.body, inside, depth) + self.texts(node.orelse, inside, depth)
        if not isinstance(node, ast.Name) or depth > 3:
            return []
        if inside is not None:
            values = sorted(assigned(inside, node.id), key=lambda value: value.lineno)
            found = [t for value in values if value.lineno <= node.lineno for t in self.texts(value, inside, depth + 1)]
            if found:
                return found
            names = [a.arg for a in [*inside.args.posonlyargs, *inside.args.args, *inside.args.kwonlyargs]]
            if node.id in names:
                return self.passed(inside, node.id, names.index(node.id), depth)
        return self.texts(self.constants.get(node.id), None, depth + 1)

    def passed(self, function: Function, name: str, position: int, depth: int) -> list[str]:
        """Return the texts that calls in this file pass for a parameter."""
        receiver = 1 if function.args.args and function.args.args[0].arg in {"self", "cls"} else 0
        found: list[str] = []
        for inside, call in self.calls():
            called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if called != function.name:
                continue
            given = next((k.value for k in call.keywords if k.arg == name), None)
            if given is None and position - receiver < len(call.args):
                given = call.args[position - receiver]
            found += self.texts(given, inside, depth + 1)
        return found


def nearest(texts: list[str]) -> list[str]:
    """Keep the text that was assigned last before the place where it is used; `texts` come in the order of lines."""
    return texts[-1:]


def value_itself(node: ast.expr | None) -> list[str]:
    """Name a message that is a value of the program as a whole, such as `info.rule`."""
    return ["{" + placeholder(node) + "}"] if isinstance(node, ast.Attribute | ast.Subscript | ast.Call) else []


def assigned(function: Function, name: str) -> Iterator[ast.expr]:
    """Yield what a function assigns to a name, tuples taken apart."""
    for node in ast.walk(function):
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == name and node.value is not None:
            yield node.value
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id == name:
                yield node.value
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                for part, value in zip(target.elts, node.value.elts, strict=False):
                    if isinstance(part, ast.Name) and part.id == name:
                        yield value


def forwarders(module: Module, makers: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Find the functions of a module that pass on code and message as they get them.

    Args:
        module: The module.
        makers: Names that make an error, with what their positional arguments are.

    Returns:
        Name of each such function: the name it passes on to, and what its own positional arguments are.
    """
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for inside, call in module.calls():
        kind = called_name(call)
        if inside is None or kind not in makers:
            continue
        own = [a.arg for a in [*inside.args.posonlyargs, *inside.args.args, *inside.args.kwonlyargs]]
        given = arguments_of(call, makers[kind])
        passed_on = {part: node.id for part, node in given.items() if isinstance(node, ast.Name) and node.id in own}
        if {"code", "message"} <= passed_on.keys():
            parts = {name: part for part, name in passed_on.items()}
            found[inside.name] = (kind, tuple(parts.get(name, name) for name in own if name not in {"self", "cls"}))
    return found


def dotted(module: Module) -> str:
    """Return the name by which a module is imported."""
    return module.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def called_name(call: ast.Call) -> str:
    """Return the last part of the name that is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def arguments_of(call: ast.Call, places: tuple[str, ...]) -> dict[str, ast.expr]:
    """Return the arguments of a call by what they are."""
    return dict(zip(places, call.args, strict=False)) | {k.arg: k.value for k in call.keywords if k.arg}


def raised(source: Path) -> list[Raised]:
    """Find every error made below a source root (`src/isthmus`).

    Returns:
        One entry for each combination of class, code and module, sorted.
    """
    classes = error_classes(source / "errors.py")
    makers = dict.fromkeys(classes, ERROR) | FINDINGS
    paths = [path for path in sorted(source.rglob("*.py")) if path != source / "errors.py"]
    modules = [Module(path, str(path.relative_to(source.parent))) for path in paths]
    passed_on = {dotted(module): forwarders(module, makers) for module in modules}
    found: dict[tuple[str, str, str], Raised] = {}
    for module in modules:
        own = passed_on[dotted(module)]
        others = {here: passed_on.get(place, {}).get(there) for here, place, there in module.imported()}
        passing = {name: what for name, what in others.items() if what is not None} | own
        for inside, call in module.calls():
            name = called_name(call)
            if inside is not None and inside.name in own and name in makers:
                continue
            kind, places = passing.get(name, (name, makers.get(name, ())))
            if kind not in makers:
                continue
            given = arguments_of(call, places)
            codes = module.texts(given.get("code"), inside)
            if "code" not in given and kind in classes:
                codes = [classes[kind][0]]
            messages = nearest(module.texts(given.get("message"), inside)) or value_itself(given.get("message"))
            hints = nearest(module.texts(given.get("hint"), inside))
            kind = "Problem" if kind in FINDINGS else kind
            for code in dict.fromkeys(codes):
                entry = Raised(
                    kind,
                    code,
                    next(iter(messages), ""),
                    next(iter(hints), ""),
                    module.name,
                )
                known = found.get((kind, code, module.name))
                if known is None or len(entry.message) > len(known.message):
                    found[(kind, code, module.name)] = entry
    return sorted(found.values())
