"""Reads what the generator of Pana MIA made: the dump and the truth; and says by itself who is one person with whom."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import bson
from bson import ObjectId

Node = tuple[str, str]
"""Collection and `_id` of a document that tells who somebody is."""
TELLING = ("users", "nextauth_users", "profiles")


@dataclass
class Made:
    """A generated database.

    Attributes:
        dump: Its folder; the truth and the answers stand beside it.
    """

    dump: Path

    @cached_property
    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """All documents by collection."""
        return {path.stem: bson.decode_all(path.read_bytes()) for path in sorted(self.dump.glob("*.bson"))}

    @cached_property
    def by_id(self) -> dict[Node, dict[str, Any]]:
        """All documents by collection and `_id`."""
        return {(name, str(one["_id"])): one for name, all_ in self.documents.items() for one in all_}

    @cached_property
    def truth(self) -> dict[str, Any]:
        """The page of the truth."""
        return json.loads(self.dump.with_name(f"{self.dump.name}.truth.json").read_text(encoding="utf-8"))

    @cached_property
    def resolutions(self) -> Path:
        """The file with the answers."""
        return self.dump.with_name(f"{self.dump.name}.resolutions.yaml")

    def lines(self, kind: str) -> list[dict[str, Any]]:
        """All lines of one kind of truth."""
        file = self.dump.parent / self.truth["files"][kind]["file"]
        return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[:-1]]


class Identities:
    """Who is one person with whom, from the documents alone: equal e-mails, and ids that profiles hold."""

    def __init__(self, made: Made) -> None:
        self.nodes: set[Node] = set()
        self.edges: set[frozenset[Node]] = set()
        self.keys: dict[Node, str] = {}
        self.links: set[tuple[Node, Node]] = set()
        self.dangling: set[Node] = set()
        by_key: dict[str, list[Node]] = defaultdict(list)
        for collection in TELLING:
            for document in made.documents[collection]:
                node = (collection, str(document["_id"]))
                self.nodes.add(node)
                email = document.get("email")
                if email is not None:
                    self.keys[node] = email.strip().lower()
                    by_key[self.keys[node]].append(node)
        for same in by_key.values():
            self.edges.update(frozenset(pair) for pair in combinations(same, 2))
        for document in made.documents["profiles"]:
            profile, said = ("profiles", str(document["_id"])), str(document.get("userId") or "")
            meant = {("users", said), ("nextauth_users", said)} & self.nodes
            self.links |= {(profile, one) for one in meant}
            self.edges |= {frozenset((profile, one)) for one in meant}
            if said and not meant and profile in self.keys and len(by_key[self.keys[profile]]) > 1:
                self.dangling.add(profile)

    def answer(self, answers: Iterable[dict[str, Any]]) -> None:
        """Do what people said: join, cut, drop. What is cut from one is cut from all that was said to be the same."""
        same = {node: {node} for node in self.nodes}
        different: list[list[Node]] = []
        for answer in answers:
            for verb, said in answer.items():
                if verb == "drop":
                    gone = _node(said)
                    self.nodes.remove(gone)
                    self.edges = {edge for edge in self.edges if gone not in edge}
                elif verb == "same":
                    nodes = list(map(_node, said))
                    self.edges |= {frozenset(pair) for pair in combinations(nodes, 2)}
                    together = set[Node]().union(*(same[node] for node in nodes))
                    same.update(dict.fromkeys(together, together))
                elif verb == "different":
                    different.append(list(map(_node, said)))
        for one, other in different:
            self.edges -= {frozenset((near, far)) for near in same[one] for far in same[other]}

    def components(self) -> Iterator[set[Node]]:
        """Documents that hang together."""
        near: dict[Node, set[Node]] = defaultdict(set)
        for edge in self.edges:
            one, other = edge
            near[one].add(other)
            near[other].add(one)
        left = set(self.nodes)
        while left:
            found, todo = set[Node](), [left.pop()]
            while todo:
                node = todo.pop()
                found.add(node)
                todo += near[node] - found
            left -= found
            yield found

    def kinds(self, component: set[Node]) -> set[str]:
        """Why a component must be asked about."""
        several = any(sum(node[0] == name for node in component) > 1 for name in TELLING)
        differing = any(
            self.keys[profile] != self.keys[meant]
            for profile, meant in self.links
            if profile in component and profile in self.keys and meant in self.keys
        )
        found = {"several": several, "differing": differing, "dangling": bool(component & self.dangling)}
        return {kind for kind, is_so in found.items() if is_so}


def _node(said: dict[str, str]) -> Node:
    ((collection, identifier),) = said.items()
    assert ObjectId.is_valid(identifier)
    return collection, identifier
