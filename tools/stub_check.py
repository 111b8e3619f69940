"""Compares the compiled module `isthmus._rust` with its stub `src/isthmus/_rust.pyi`.

Checked, in both directions: the public names, the methods and attributes of each class, the names, kinds and order of
parameters, and whether each has a default. Not checked: the types, which a compiled module does not tell.
Run as `python -m tools.stub_check`: prints each difference with both sides, exits 1 if there is one.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from pathlib import Path
from types import ModuleType

STUB = Path(__file__).parents[1] / "src" / "isthmus" / "_rust.pyi"

# Names that Python or PyO3 puts into every module and class; the others with underscores are private.
CONSTRUCTORS = ("__init__", "__new__")


def public(name: str) -> bool:
    """Tell whether a name belongs to the interface; `__init__` does not here, it stands for its class."""
    return not name.startswith("_")


def stub_parameters(function: ast.FunctionDef, *, method: bool) -> list[str]:
    """Write the parameters of a stub function as text, one a parameter, without annotations."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    first_default = len(positional) - len(arguments.defaults)
    written: list[str] = []
    for place, argument in enumerate(positional):
        kind = "/" if place < len(arguments.posonlyargs) else ""
        written.append(f"{argument.arg}{kind}{'=' if place >= first_default else ''}")
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in function.decorator_list)
    if method and not static:
        written = written[1:]
    if arguments.vararg is not None:
        written.append(f"*{arguments.vararg.arg}")
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        written.append(f"*, {argument.arg}{'=' if default is not None else ''}")
    if arguments.kwarg is not None:
        written.append(f"**{arguments.kwarg.arg}")
    return written


def module_parameters(function: object) -> list[str] | None:
    """Write the parameters of a compiled function as `stub_parameters` does; None when it does not tell them."""
    try:
        signature = inspect.signature(function)  # pyright: ignore[reportArgumentType]
    except (ValueError, TypeError):
        return None
    marks = {
        inspect.Parameter.POSITIONAL_ONLY: "{}/",
        inspect.Parameter.POSITIONAL_OR_KEYWORD: "{}",
        inspect.Parameter.VAR_POSITIONAL: "*{}",
        inspect.Parameter.KEYWORD_ONLY: "*, {}",
        inspect.Parameter.VAR_KEYWORD: "**{}",
    }
    return [
        marks[p.kind].format(p.name) + ("" if p.default is inspect.Parameter.empty else "=")
        for p in signature.parameters.values()
        # CPython names the receiver of a compiled method; it is no parameter of the call.
        if p.name not in {"self", "$self"}
    ]


def class_differences(node: ast.ClassDef, real: type) -> list[str]:
    """Compare one class of the stub with the compiled class of that name."""
    differences: list[str] = []
    methods: dict[str, ast.FunctionDef] = {}
    attributes: set[str] = set()
    constructor: ast.FunctionDef | None = None
    for item in node.body:
        if isinstance(item, ast.FunctionDef):
            if item.name in CONSTRUCTORS:
                constructor = item
            elif any(isinstance(d, ast.Name) and d.id == "property" for d in item.decorator_list):
                attributes.add(item.name)
            else:
                methods[item.name] = item
        elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            attributes.add(item.target.id)
    in_stub = {name for name in [*methods, *attributes] if public(name)}
    in_module = {name for name in vars(real) if public(name)}
    differences += [f"{node.name}.{name} is in the stub only" for name in sorted(in_stub - in_module)]
    differences += [f"{node.name}.{name} is in the module only" for name in sorted(in_module - in_stub)]
    for name, method in methods.items():
        if name in in_module:
            differences += parameter_differences(f"{node.name}.{name}", method, getattr(real, name), method=True)
    if constructor is not None:
        differences += parameter_differences(node.name, constructor, real, method=True)
    return differences


def parameter_differences(name: str, node: ast.FunctionDef, real: object, *, method: bool) -> list[str]:
    """Compare the parameters of one function or method."""
    expected = stub_parameters(node, method=method)
    found = module_parameters(real)
    if found is None:
        return [f"{name}: the module does not tell its parameters; give it #[pyo3(signature = …)]"]
    if expected != found:
        return [f"{name}: the stub says ({', '.join(expected)}), the module ({', '.join(found)})"]
    return []


def differences(stub: str, module: ModuleType) -> list[str]:
    """Compare a stub's text with a module.

    Returns:
        One sentence a difference, empty when the stub is true.
    """
    found: list[str] = []
    classes: dict[str, ast.ClassDef] = {}
    functions: dict[str, ast.FunctionDef] = {}
    others: set[str] = set()
    for node in ast.parse(stub).body:
        if isinstance(node, ast.ClassDef):
            classes[node.name] = node
        elif isinstance(node, ast.FunctionDef):
            functions[node.name] = node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            others.add(node.target.id)
    # A class that the module does not have may be a Protocol or TypedDict for annotations.
    typing_only = {
        name
        for name, node in classes.items()
        if any(isinstance(b, ast.Name) and b.id in {"Protocol", "TypedDict", "NamedTuple"} for b in node.bases)
    }
    in_stub = {n for n in [*classes, *functions, *others] if public(n)} - typing_only
    in_module = {name for name in dir(module) if public(name)}
    found += [f"{name} is in the stub only" for name in sorted(in_stub - in_module)]
    found += [f"{name} is in the module only" for name in sorted(in_module - in_stub)]
    for name, node in classes.items():
        if name in in_module and name not in typing_only:
            found += class_differences(node, getattr(module, name))
    for name, node in functions.items():
        if name in in_module:
            found += parameter_differences(name, node, getattr(module, name), method=False)
    return found


def main() -> int:
    """Print the differences; the exit code is 1 if there is one."""
    found = differences(STUB.read_text(encoding="utf-8"), importlib.import_module("isthmus._rust"))
    for difference in found:
        print(difference)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
