#!/usr/bin/env python3
"""Adds a store of the layout that a program writes, with what the program itself says of it.

    tests/corpus/make.py PROGRAM NAME     such as: target/debug/lastkey version-4

Run with the last program that wrote a layout, before the layout changes. A folder is never made
anew: the point of an old store is that nothing of today has touched it.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TABLES = [
    "identities", "accounts", "entitlements", "grants", "credentials", "locations", "readers",
]
AT = "2026-11-21T06:00:00Z"
PLAN = '[[step]]\non = "leaver"\nsystem = "corp"\ndoes = "disable_account"\nhow = "automatic"\nwithin = "15m"\n'


def csv(path, header, rows):
    path.write_text(header + "\n" + "".join(",".join(row) + "\n" for row in rows))


def estate(folder, round):
    """What the systems hold in one of four rounds: people and access come, change and go."""
    folder.mkdir(exist_ok=True)
    people = range(round - 1, 14 + round)
    csv(folder / "identities.csv", "id,kind,display_name,email,status,department,manager_id", [
        [f"p{n}", "person", f"Person {n} Ünïcøde", f"p{n}@example.com",
         "inactive" if (n, round) == (5, 3) else "active",
         f"dept{(n + (round if n % 4 == 0 else 0)) % 3}", "p3" if n != 3 else ""]
        for n in people
    ] + ([["x1", "robot", "No such kind", "", "active", "", ""]] if round == 4 else []))
    csv(folder / "accounts.csv", "system,id,name,kind,identity_id,enabled,local_sign_in", [
        ["corp", f"a{n}", f"user{n}", "human", f"p{n}", "false" if n % 5 == round else "true", "true"]
        for n in people if (n, round) != (4, 3)
    ])
    csv(folder / "entitlements.csv", "system,id,name,kind,privileged", [
        ["corp", f"g{n}", f"Group {n}", "group", "true" if n == 0 else "false"]
        for n in range(4 + round)
    ])
    csv(folder / "grants.csv", "system,entitlement_id,principal_type,principal_system,principal_id", [
        ["corp", f"g{g}", "account", "corp", f"a{n}"]
        for n in people for g in sorted({n % 4, (n * round) % 4})
        # Rows that repeat each count.
        for _ in range(2 if n == 7 and round > 1 else 1)
    ])
    csv(folder / "credentials.csv", "system,id,kind,account_id", [
        ["corp", f"k{n}", "api_key", f"a{n}"] for n in people if n % 3 == 0
    ])
    csv(folder / "locations.csv", "system,path,credential_system,credential_id,kind", [
        ["safe", f"kv/team{n % 2}/k{n}", "corp", f"k{n}", "vault"] for n in people if n % 3 == 0
    ])
    csv(folder / "readers.csv", "system,path,principal_type,principal_system,principal_id", [
        ["safe", f"kv/team{n % 2}/k{n}", "entitlement", "corp", f"g{n % 4}"]
        for n in people if n % 3 == 0
    ])


def without_empty(value):
    if isinstance(value, dict):
        return {k: without_empty(v) for k, v in sorted(value.items()) if v is not None}
    if isinstance(value, list):
        return [without_empty(item) for item in value]
    return value


def main():
    program, name = os.path.abspath(sys.argv[1]), sys.argv[2]
    to = HERE / name
    to.mkdir()  # fails where it is there
    room = pathlib.Path(tempfile.mkdtemp())
    key = room / "key"
    key.write_text("a key file of the corpus, which opens nothing else\n")
    key.chmod(0o600)
    store = room / "store.lastkey"

    def lastkey(*arguments, allowed=(0,), store=store):
        done = subprocess.run(
            [program, "--store", store, "--key-file", key, "--quiet", *arguments],
            capture_output=True, text=True, check=False,
        )
        if done.returncode not in allowed:
            sys.exit(f"lastkey {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    folder = room / "estate"
    for round in (1, 2, 3, 4):
        estate(folder, round)
        if round == 1:
            lastkey("import", str(folder), "--as", "estate")
        else:
            lastkey("sync", "estate", allowed=(0, 1))
    staff = room / "staff"
    staff.mkdir()
    csv(staff / "identities.csv", "id,kind,display_name,status",
        [[f"p{n}", "person", f"Staff {n}", "active"] for n in (1, 2, 90)])
    lastkey("import", str(staff), "--as", "staff")
    (room / "plan.toml").write_text(PLAN)
    lastkey("plan", "load", str(room / "plan.toml"))

    answers = to / "answers"
    answers.mkdir()

    def keep(file, lines):
        if lines:
            text = "".join(
                json.dumps(without_empty(line), ensure_ascii=False, separators=(",", ":")) + "\n"
                for line in lines
            )
            (answers / file).write_text(text)

    def told(*arguments, allowed=(0,)):
        out = lastkey("--json", *arguments, allowed=allowed)
        return [json.loads(line) for line in out.splitlines()]

    for table in TABLES:
        keep(f"{table}.jsonl", told(table))
        for sync in (1, 2, 3, 4):
            keep(f"{table}-as-of-{sync}.jsonl", told(table, "--as-of", str(sync)))
    for table in ("events", "journal"):
        keep(f"{table}.jsonl", told(table))
    rehearsed = told("rehearse", "leaver", "--all", "--at", AT, allowed=(0, 1))
    for line in rehearsed:
        line["worst"] = line["worst"][:3]
    keep("rehearsals.jsonl", rehearsed)
    listed = told("source", "list")
    sources = without_empty(listed[0] if isinstance(listed[0], list) else listed)
    for source in sources:
        # These say where the files lay, and how old the reads are today.
        for passing in ("settings", "age_seconds", "freshness", "fresh_for_seconds"):
            source.pop(passing, None)
    (answers / "sources.json").write_text(json.dumps(sources, ensure_ascii=False, indent=1) + "\n")
    shutil.copy(room / "plan.toml", answers / "plan.toml")
    # A backup has no page that nothing needs.
    lastkey("store", "backup", str(room / "copy.lastkey"))
    shutil.copy(room / "copy.lastkey", to / "store.lastkey")
    shutil.copy(room / "copy.lastkey.keys", to / "store.lastkey.keys")
    shutil.copy(key, to / "key")
    for file in to.iterdir():
        if file.is_file():
            file.chmod(0o644)
    shutil.rmtree(room)
    print(f"{to}: {(to / 'store.lastkey').stat().st_size} bytes; name it in README.md and old_stores.rs")


main()
