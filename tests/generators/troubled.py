"""A small database in which every step of a copy and of its finish has something to do.

Seeded; imports nothing from isthmus. Besides ordinary documents it holds: references as columns, in child tables, in
jsonb and in junctions fed from one and from both sides; chains of orphans whose settling depends on its order;
duplicate ids, also of a document that must go later; documents that collide in two unique columns; keys and pairs that
no index entry can hold; every class of `_id`; documents the core refuses; adjusted values, skipped documents, extras;
two collections in one table that share ids and values; a collection of which one part goes to a table without ids;
references by another field, kept in arrays, pairs and a unique column, to documents that are joined; a routed one.
"""

from __future__ import annotations

import random
import string
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
from bson import Binary, Decimal128, Int64, ObjectId

from tests.generators import bson_writer as bw

Plain = dict[str, Any]

MAPPING = """\
isthmus: 1
target: {schema: 'Troubled "ü"', tables: create}
ids: uuid
extras: extras
enums:
  project_state: [OPEN, "it's closed"]
collections:
  Projects:
    table: order
    fields:
      title: {column: select, type: text!}
      team: {column: team_id, references: Teams, required: true, on_orphan: dead_letter}
      budget: numeric(10,2)
      state: {type: project_state, default: OPEN}
      seenAt: {type: timestamptz, default: now}
      labels: {junction: project_labels}
  Teams:
    fields:
      name: {type: text!, unique: true}
      lead: {column: lead_id, references: People, required: true, on_orphan: dead_letter}
  Labels:
    ids: keep
    fields:
      name: text
  People:
    fields:
      email: {type: text, unique: true}
      nick: {type: text, unique: true}
      handle: {type: text, unique: true}
      age: smallint
      manager: {column: manager_id, references: People}
  Tasks:
    skip:
      - {when: {deleted: true}, why: in the bin}
    fields:
      title: text!
      note: {type: text, policies: {nul: remove}}
      project: {column: project_id, references: Projects, required: true, on_orphan: dead_letter}
      user: {column: user_id, references: People, on_orphan: "null", index: true}
      reviewers: {type: jsonb, rewrite: {"[].userId": People}}
      tags: text[]
      steps:
        child: task_steps
        fields:
          name: text!
          by: {column: by_id, references: People, on_orphan: "null"}
          parts: {child: step_parts, fields: {size: integer}}
      documentIDs: {junction: documents_to_tasks}
    search: [title, tags]
  Documents:
    fields:
      name: text!
      path: {type: text, index: true}
      taskIDs: {junction: documents_to_tasks}
  Animals:
    from: {Cats: {kind: cat}, Dogs: {kind: dog}}
    constants: {kind: text!}
    fields:
      name: text
      chip: {type: text, unique: true}
      owner: {column: owner_id, references: People, on_orphan: dead_letter}
      toys: {child: animal_toys, fields: {code: {type: text, unique: true}}}
  Invoices:
    from: Papers
    when: {kind: invoice}
    key: [year, number]
    fields:
      kind: {drop: it is the condition}
      year: integer!
      number: integer!
      animal: {column: animal_id, references: Animals, on_orphan: dead_letter}
  Notes:
    from: Papers
    when: {kind: {not: invoice}, text: {present: true}}
    fields:
      kind: text
      text: text!
  Accounts:
    on_duplicate: merge
    fields:
      number: {type: text!, unique: true, normalise: trim}
      title: text
      holder: {column: holder_id, references: People, on_orphan: "null"}
      entries: {child: account_entries, fields: {amount: integer, by: {column: by_id, references: Accounts.number}}}
  Clients:
    fields:
      name: text
      main: {column: main_id, references: Accounts.number, required: true, on_orphan: dead_letter}
      others: {type: "uuid[]", references: Accounts.number, on_orphan: drop}
      only: {column: only_id, references: Accounts.number, unique: true}
      about: {route: {Tasks: task_id, Documents: document_id}, on_orphan: "null"}
      all: {junction: clients_accounts}
junctions:
  clients_accounts: {columns: {client_id: Clients, account_id: Accounts.number}, on_orphan: drop}
  project_labels: {columns: {project_id: Projects, label_id: Labels}, on_orphan: dead_letter}
  documents_to_tasks: {columns: {document_id: Documents, task_id: Tasks}, on_orphan: drop}
"""

COMPRESSED = ("Documents",)


@dataclass(frozen=True)
class Troubled:
    """One database.

    Attributes:
        collections: Name → documents as BSON, in file order.
        mapping: The mapping file's text.
    """

    collections: dict[str, list[bytes]]
    mapping: str = MAPPING


def troubled(seed: int = 1, scale: int = 1) -> Troubled:
    """Make the database of a seed; `scale` multiplies the number of ordinary documents, not of the troubled ones."""
    return _Maker(random.Random(seed), scale).make()


class _Maker:
    def __init__(self, rng: random.Random, scale: int) -> None:
        self._rng = rng
        self._scale = scale

    def make(self) -> Troubled:
        people = self._people()
        people_ids = [one["_id"] for one in people[: 120 * self._scale]]
        labels = [{"_id": f"label {number} é", "name": self._words(2)} for number in range(40)]
        labels.insert(20, {"_id": "x" + self._noise(6_000), "name": "its id fits no index entry"})
        labels.insert(30, {"_id": self._noise(2_688), "name": "its id fits alone, not together with another one"})
        label_ids = [str(one["_id"]) for one in labels if len(str(one["_id"])) < 100]
        teams = self._teams(people_ids)
        projects = self._projects(teams, label_ids, str(labels[30]["_id"]))
        tasks, documents = self._tasks(people_ids, [one["_id"] for one in projects])
        animals = self._animals(people_ids)
        papers = self._papers([one["_id"] for one in animals])
        accounts = self._accounts(people_ids)
        about = [one["_id"] for one in (*tasks[:40], *documents[:40])]
        clients = self._clients([str(one["number"]).strip() for one in accounts], about)
        collections = {
            "Projects": [bson.encode(one) for one in projects],
            "Teams": [bson.encode(one) for one in teams],
            "Labels": [bson.encode(one) for one in labels],
            "People": [bson.encode(one) for one in people] + self._unreadable(),
            "Tasks": [bson.encode(one) for one in tasks],
            "Documents": [bson.encode(one) for one in documents],
            "Cats": [bson.encode(one) for one in animals[::2]],
            "Dogs": [bson.encode(one) for one in animals[1::2]],
            "Papers": [bson.encode(one) for one in papers],
            "Accounts": [bson.encode(one) for one in accounts],
            "Clients": [bson.encode(one) for one in clients],
        }
        return Troubled(collections)

    def _oid(self) -> ObjectId:
        return ObjectId(self._rng.randbytes(12))

    def _noise(self, length: int) -> str:
        return "".join(self._rng.choices(string.ascii_letters + string.digits, k=length))

    def _words(self, count: int) -> str:
        return " ".join(self._noise(self._rng.randint(2, 9)) for _ in range(count))

    def _people(self) -> list[Plain]:
        rng = self._rng
        special: list[Any] = [
            *(7, Int64(8), 9.5, Decimal128("10.50"), "seven", "", True, datetime(2021, 3, 4, 5, 6, tzinfo=UTC)),
            *(Binary(b"\0\1\2", 0), {"a": 1, "b": [1]}, "0123456789abcdef01234567", None),
        ]
        ids: list[Any] = [self._oid() for _ in range(120 * self._scale - len(special))]
        for one in special:
            ids.insert(rng.randrange(len(ids)), one)
        people: list[Plain] = []
        for number, one in enumerate(ids):
            person: Plain = {
                "_id": one,
                "email": f"{number}@example.org",
                "nick": f"n{number}",
                "age": rng.randrange(99),
            }
            if number % 3 == 0:
                person["manager"] = rng.choice(ids)
            if number % 5 == 0:
                person["hobby"] = {"name": self._words(1), "since": Int64(number)}  # nobody named it: extras
            if number % 40 == 7:
                person["manager"] = self._oid()  # an orphan without a stated policy
            people.append(person)
        # Chains over two unique columns: which of them stay depends on the order in which the columns are settled.
        for group in range(6):
            low, middle, high = sorted(self._oid() for _ in range(3))
            people += [
                {"_id": low, "email": f"chain{group}", "nick": f"one{group}"},
                {"_id": middle, "email": f"chain{group}", "nick": f"two{group}"},
                {"_id": high, "email": f"other{group}", "nick": f"two{group}"},
            ]
        people += [{"_id": self._oid(), "handle": self._noise(4_000)} for _ in range(4)]
        twice = self._oid()
        people += [{"_id": twice, "nick": "first"}, {"_id": twice, "nick": "second"}]
        people += [{"_id": ObjectId("0123456789abcdef01234567"), "nick": "the same id as text"}]
        return people

    def _unreadable(self) -> list[bytes]:
        """Documents that the core refuses, each for another reason."""
        oid = bw.object_id
        return [
            bw.document([("_id", oid(self._rng.randbytes(12))), ("email", bw.string("a\0b"))]).raw,
            bw.document([("_id", oid(self._rng.randbytes(12))), ("email", bw.string(b"\xff"))]).raw,
            bw.document([("_id", oid(self._rng.randbytes(12))), ("age", bw.int32(70_000))]).raw,
            bw.document([("_id", oid(self._rng.randbytes(12))), ("age", bw.double(1.5))]).raw,
            bw.document([("email", bw.string("no id"))]).raw,
        ]

    def _teams(self, people: list[Any]) -> list[Plain]:
        rng = self._rng
        teams: list[Plain] = [{"_id": self._oid(), "name": f"team {n}", "lead": rng.choice(people)} for n in range(30)]
        for number in (3, 13, 23):
            teams[number]["lead"] = self._oid()  # gone, and with it every project and task of the team
        teams += [{"_id": self._oid(), "name": "team 5", "lead": rng.choice(people)} for _ in range(3)]
        return teams

    def _projects(self, teams: list[Plain], labels: list[str], long: str) -> list[Plain]:
        rng = self._rng
        projects: list[Plain] = []
        for number in range(100 * self._scale):
            project: Plain = {
                "_id": self._oid(),
                "title": self._words(3),
                "team": teams[number % len(teams)]["_id"],
                "budget": Decimal128(f"{rng.randrange(10_000)}.{rng.randrange(100):02}"),
                "labels": rng.sample(labels, rng.randrange(4)),
            }
            if rng.random() < 0.2:
                project["state"] = "it's closed"
            projects.append(project)
        for number in (3, 13, 50):  # two of them are of a team that goes: the cause depends on who is asked first
            projects[number]["labels"] = ["no such label"]
        projects[60]["labels"] = [labels[0], long]  # each id is a key; a pair of them is too long for one
        # A duplicate whose keeper goes later, too: its team does not exist.
        twice, lost = self._oid(), self._oid()
        projects += [{"_id": twice, "title": "kept, then lost", "team": lost}]
        projects += [{"_id": twice, "title": "the other one", "team": teams[0]["_id"], "state": "OPEN"}]
        projects += [{"_id": self._oid(), "title": "bad state", "team": teams[0]["_id"], "state": "NONE"}]
        return projects

    def _tasks(self, people: list[Any], projects: list[Any]) -> tuple[list[Plain], list[Plain]]:
        rng = self._rng
        count = 700 * self._scale
        document_ids = [self._oid() for _ in range(200 * self._scale)]
        task_ids: list[Any] = [self._oid() for _ in range(count)]
        begin = datetime(2020, 1, 1, tzinfo=UTC)
        tasks: list[Plain] = []
        for number, one in enumerate(task_ids):
            task: Plain = {
                "_id": one,
                "title": self._words(4),
                "project": rng.choice(projects),
                "user": rng.choice(people),
                "tags": [self._words(1) for _ in range(rng.randrange(3))],
                "documentIDs": rng.sample(document_ids, rng.randrange(4)),
                "steps": [
                    {"name": self._words(1), "by": rng.choice(people), "parts": [{"size": n} for n in range(n % 3)]}
                    for n in range(rng.randrange(4))
                ],
                "doneAt": begin + timedelta(hours=number),
            }
            if number % 11 == 0:
                task["reviewers"] = [{"userId": rng.choice([*people[:5], self._oid()]), "ok": True}]
            if number % 29 == 0:
                task["user"] = self._oid()
            if number % 31 == 0:
                task["documentIDs"] = [*task["documentIDs"], self._oid()]
            if number % 37 == 0:
                task["project"] = self._oid()
            if number % 41 == 0:
                task["note"] = f"a\0b {number}"
            if number % 43 == 0:
                task["deleted"] = True
            if number % 47 == 0:
                task["steps"] = [{"name": "lost", "by": self._oid()}]
            if number % 53 == 0:
                del task["title"]
            tasks.append(task)
        for number in (10, 20, 30):  # the same document again, another one with the same _id
            tasks.append({**tasks[number], "note": f"again\0 {number}"})
            tasks.append(dict(tasks[number]))
        documents: list[Plain] = []
        for number, one in enumerate(document_ids):
            document: Plain = {"_id": one, "name": self._words(2), "path": f"/{number}/{self._words(1)}"}
            document["taskIDs"] = rng.sample(task_ids, rng.randrange(4))
            if number % 17 == 0:
                document["taskIDs"] = [*document["taskIDs"], self._oid(), document["taskIDs"]]
                document["taskIDs"].pop()
            documents.append(document)
        documents[5]["path"] = self._noise(5_000)  # the plain index on it is left out, the document stays
        return tasks, documents

    def _animals(self, people: list[Any]) -> list[Plain]:
        """Alternately of two collections: some neighbours have one `_id`, a chip or a toy."""
        rng = self._rng
        animals: list[Plain] = []
        for number in range(80 * self._scale):
            animal: Plain = {
                "_id": number if number % 10 == 0 else self._oid(),
                "name": self._words(1),
                "chip": f"chip {number}",
                "owner": rng.choice(people),
                "toys": [{"code": f"toy {number} {n}"} for n in range(number % 3)],
            }
            if number % 13 == 5:
                animal["_id"] = animals[-1]["_id"]
            if number % 17 == 5:
                animal["chip"] = animals[-1]["chip"]
            if number % 11 == 5:
                animal["toys"] = [{"code": f"toy {number - 4} 1"}, {"code": f"toy {number - 4} 0"}]
            if number % 19 == 5:
                animal["owner"] = self._oid()
            animals.append(animal)
        return animals

    def _papers(self, animals: list[Any]) -> list[Plain]:
        papers: list[Plain] = []
        for number in range(60 * self._scale):
            paper: Plain = {"_id": self._oid(), "kind": "note", "text": self._words(3)}
            if number % 3 == 0:
                paper = {
                    "_id": paper["_id"],
                    "kind": "invoice",
                    "year": 2000 + number % 4,
                    "number": number // 6,
                    "animal": animals[number],
                }
            elif number % 20 == 1:
                del paper["text"]  # no entry takes it
            if number % 23 == 6:
                papers.append({**paper, "again": True})
            papers.append(paper)
        return papers

    def _accounts(self, people: list[Any]) -> list[Plain]:
        """Every fourth number is held by two documents or three, each with something the others lack or say too."""
        rng = self._rng
        accounts: list[Plain] = []
        for number in range(60 * self._scale):
            for twin in range(1 + (number % 4 == 0) + (number % 8 == 0)):
                account: Plain = {"_id": self._oid(), "number": f"{' ' * twin}A{number}"}
                if twin != 1:
                    account["title"] = f"{number} {twin}"
                if twin or number % 3:
                    account["holder"] = self._oid() if number % 20 == 8 else rng.choice(people)
                account["entries"] = [
                    {"amount": rng.randrange(100), "by": f"A{rng.randrange(60)}"} for _ in range(number % 3)
                ]
                if number % 10 == 4:
                    account["note"] = f"extra {twin}"
                accounts.append(account)
        accounts[7]["entries"] = [{"amount": 1, "by": "A nobody"}]
        return accounts

    def _clients(self, numbers: list[str], about: list[Any]) -> list[Plain]:
        rng = self._rng
        clients: list[Plain] = []
        for number in range(80 * self._scale):
            client: Plain = {
                "_id": self._oid(),
                "name": self._words(2),
                "main": "A gone" if number % 23 == 5 else rng.choice(numbers),
                "others": [rng.choice([*numbers[:20], "A gone", None]) for _ in range(number % 4)],
                "all": rng.choices([*numbers[:30], "A gone"], k=number % 5),
            }
            if number % 2:
                client["only"] = f"A{number % 40}"
            if number % 3 == 0:
                client["about"] = self._oid() if number % 30 == 3 else rng.choice(about)
            clients.append(client)
        return clients
