"""Junction tables: one for every array of references, one for two that say the same from both sides. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from isthmus.mapping.names import fold
from isthmus.survey.propose.names import column_wish, free_name, singular
from isthmus.survey.propose.pointing import Pointing
from isthmus.survey.propose.proposal import CHECK, Junction, Rule
from isthmus.survey.propose.tables import Shared, pointer_text


def join_arrays(
    arrays: Mapping[str, list[tuple[Rule, Pointing]]], tables: Mapping[str, str], shared: Shared
) -> dict[str, Junction]:
    """Make the junctions and write their names into the rules.

    Args:
        arrays: Collection → its arrays of references.
        tables: Collection → root table.
        shared: Takes the names.
    """
    found: dict[str, Junction] = {}
    done: dict[tuple[str, tuple[str, ...]], str] = {}
    rules = {(name, one.reference.path): (rule, one) for name in sorted(arrays) for rule, one in arrays[name]}
    for at, (rule, one) in rules.items():
        if at in done:
            continue
        other = one.reference.other_side
        both = other is not None and other in rules and other != at and other not in done and one.by is None
        own, target = tables[at[0]], tables[one.targets[0]]
        name, junction = _make(at[0], rule, one, own, target, shared, both=both)
        found[name] = junction
        first, second = junction.columns
        done[at] = name
        rule.body = {"junction": name, **({"own": first} if own == target else {})}
        if both and other is not None:
            back, _ = rules[other]
            back.body = {"junction": name, **({"own": second} if own == target else {})}
            done[other] = name
        elif other is not None:
            rule.notes.append(f"{CHECK}{other[0]}.{_shown(other[1])} says much the same from the other side")
    return found


def _make(
    collection: str, rule: Rule, one: Pointing, own: str, target: str, shared: Shared, *, both: bool
) -> tuple[str, Junction]:
    wish = f"{own}_{target}" if both and own != target else f"{own}_{column_wish(rule.path)}"
    name = free_name(wish, shared.names, fallback="pairs")
    shared.names.add(name)
    first = free_name(f"{singular(own)} id", (), fallback="own_id")
    ending = fold(column_wish(rule.path)).removesuffix("_ids").removesuffix("_id")
    second_wish = singular(target) if own != target else singular(ending)
    second = free_name(f"{second_wish} id", {first}, fallback="other_id")
    notes = [f"pairs of {collection} and {one.targets[0]}, as {'both sides say' if both else 'one side says'}"]
    return name, Junction({first: collection, second: pointer_text(one)}, notes)


def _shown(path: tuple[str, ...]) -> str:
    return ".".join(path)
