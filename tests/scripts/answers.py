"""What an open store answers, and how fast: search, windows, whole tables, owners, the graph,
leavers.

Beside each stands what a plain tool does with the same data in the same run: an SQLite file of the
same rows without keys or indexes, asked within one process; rustworkx.
"""

import contextlib
import json
import os
import pathlib
import sqlite3
import statistics
import time

WINDOW = 200


def table_name(path):
    """What a file's rows are called in the plain database."""
    return f"{path.parent.name}_{path.stem}".replace("-", "_")


def measure(table, room, store, files, plain, accounts, run, lastkey, change):
    keys, memory = figures(run, room, store, "search")
    people = [table_name(path) for path in sorted(files.glob("*/identities.csv"))]
    search(table, keys, memory, plain, people)
    asked, memory = figures(run, room, store, "windows")
    windows(table, asked, memory, plain, files)
    stream(table, room, store, plain, people, run, lastkey)
    owners(table, room, store, files, plain, run, lastkey)
    descendants = graph(table, run, room, store, files)
    one = leavers(table, run, room, store, files, plain, accounts)
    secrets(table, run, room, store, files, plain)
    seconds = everyone(table, run, room, store, one, descendants)
    after_a_sync(table, run, room, store, change, seconds)


def figures(run, room, store, what, *more):
    """The figures of an open store, a list of dicts, and the most memory of its process."""
    out = room / "figures.jsonl"
    done = run(["figures", store, os.environ["LASTKEY_KEY_FILE"], what, *more], out=out)
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()], done.mebibytes


def timed(ask):
    """Milliseconds of one question."""
    began = time.monotonic()
    ask()
    return (time.monotonic() - began) * 1000


def line(table, work, ours, memory, beside, name, reach):
    """Medians beside each other, the slowest of ours named."""
    middle = statistics.median(ms for ms, _ in ours)
    worst, which = max(ours)
    naive = statistics.median(beside)
    said = f"{middle:.1f} ms, slowest {worst:.1f} ms ({which})"
    table.line(work, said, memory, f"{naive:.1f} ms", name, f"{middle / naive:.2f}" if naive else "", reach)


def people_of(connection, tables):
    """Everybody of these tables with three columns; a roster need not have each of them."""
    def select(name):
        there = {row[1] for row in connection.execute(f'pragma table_info("{name}")')}
        columns = [c if c in there else f"null as {c}" for c in ("id", "display_name", "email")]
        return f'select {", ".join(columns)} from "{name}"'
    return " union all ".join(select(name) for name in tables)


def search(table, keys, memory, plain, people):
    """Each key of each word, beside a list of the same people gone through for each key."""
    typed = [(row["ms"], row["what"]) for row in keys if row["what"].startswith("key")]
    connection = sqlite3.connect(f"file:{plain}?mode=ro", uri=True)
    every = people_of(connection, people)
    wanted = "display_name like ?1 or display_name like '% ' || ?1 or id like ?1 or email like ?1"

    def naive(word):
        connection.execute(f"select count(*) from ({every}) where {wanted}", (f"{word}%",)).fetchone()
        connection.execute(f"select * from ({every}) where {wanted} order by id limit {WINDOW}", (f"{word}%",)).fetchall()

    beside = [timed(lambda word=word: naive(word)) for word in ("a", "anna", "anna l", "zzyzx")]
    connection.close()
    name = "sqlite3, like over the same people"
    line(table, f"search identities, each of {len(typed)} keys", typed, memory, beside, name, "under 50 ms")
    first = [(row["ms"], row["what"]) for row in keys if row["what"].startswith("the first key")]
    line(table, "the first key after opening the store", first, memory, beside[:1], name, "under 50 ms")


def windows(table, asked, memory, plain, files):
    """Windows of every table, beside limit and offset on the grants."""
    connection = sqlite3.connect(f"file:{plain}?mode=ro", uri=True)
    grants = max((table_name(path) for path in files.glob("*/grants.csv")),
                 key=lambda name: connection.execute(f'select max(rowid) from "{name}"').fetchone()[0] or 0)
    count = connection.execute(f'select max(rowid) from "{grants}"').fetchone()[0]
    offsets = {"first": 0, "middle": count // 2, "last": max(0, count - WINDOW)}
    sorts = {"": f'select * from "{grants}"', " by ": f'select * from "{grants}" order by entitlement_id',
             " where ": f"select * from \"{grants}\" where principal_id = 'nobody'"}
    said = {"": "", " by ": ", sorted", " where ": ", filtered"}
    ready = [row["ms"] / 1000 for row in asked if row["what"] == "brought up to date"]
    if ready:
        beside = timed(lambda: connection.execute(f'select count(distinct principal_id) from "{grants}"').fetchone()) / 1000
        table.line("lists of owners brought up to date after it, beside the screen", f"{ready[0]:.2f} s", memory,
                   f"{beside:.2f} s", "sqlite3, the principals of the grants counted", f"{ready[0] / beside:.2f}", "lower is better")
    for how in ("", " by ", " where "):
        for end, offset in offsets.items():
            of = [row for row in asked if row["what"].startswith(end + how)]
            if how == "":
                of = [row for row in of if row["what"] == end]
            ours = [(row["ms"], f"{row['table']}{row['what'].removeprefix(end)}") for row in of]
            if not ours:
                continue
            beside = [timed(lambda: connection.execute(f"{sorts[how]} limit {WINDOW} offset {offset}").fetchall())]
            reach = "under 100 ms" if how != " where " else ""
            line(table, f"{end} window{said[how]}, {len(ours)} of them", ours, memory, beside, "sqlite3, limit and offset on the grants", reach)
    connection.close()


def stream(table, room, store, plain, people, run, lastkey):
    """A whole table as documents."""
    ours = [run(lastkey(store, "--json", "identities"), out=room / "all.jsonl")]
    with contextlib.closing(sqlite3.connect(f"file:{plain}?mode=ro", uri=True)) as connection:
        every = people_of(connection, people)
    beside = [run(["sqlite3", "-json", plain, every], out=room / "all.json")]
    table.add("every identity as JSON", ours, beside, "sqlite3 -json, three columns", "lower is better")


def owners(table, room, store, files, plain, run, lastkey):
    """Whom facts point at as owners, made when it is first asked for, and asked again."""
    what = room / "owners.jsonl"
    first, again = ([run(lastkey(store, "--json", "owner", "suggest"), out=what)] for _ in range(2))
    accounts = [table_name(path) for path in sorted(files.glob("*/accounts.csv"))]
    every = " union all ".join(f'select system, id, name from "{name}" where kind <> \'human\'' for name in accounts)
    beside = [run(["sqlite3", "-json", plain, every], out=room / "owned.json")]
    with open(what, "rb") as lines:
        count = sum(1 for _ in lines)
    name = "sqlite3 -json, the accounts that are no person's"
    table.add(f"suggest owners, {count:,} lines, the first time", first, beside, name, "lower is better")
    table.add("the same again", again, beside, name, "lower is better")


def graph(table, run, room, store, files):
    peer = room / "peer.txt"
    script = pathlib.Path(__file__).with_name("peer_graph.py")
    run([os.environ["BENCH_PYTHON"], "-B", str(script), files, "descendants"], out=peer)
    seconds, with_reading, grown, nodes, edges, descended, pairs = peer.read_text().split()
    told, memory = figures(run, room, store, "graph")
    first, again = told[-2], told[-1]
    built = (first["ms"] - again["ms"]) / 1000
    name = f"rustworkx, {int(nodes):,} nodes, {int(edges):,} edges, {grown} MiB more"
    ours = f"{built:.2f} s, {first['mib']:.0f} MiB more"
    work, reach = "graph from the encrypted store", "under 2 s, 500 MiB"
    ratio = f"{built / float(seconds):.2f}"
    table.line(work, ours, memory, f"{float(seconds):.2f} s", name, ratio, reach)
    # The peer's numbers are read before its clock starts; from the files to a graph it takes so long.
    ratio = f"{built / float(with_reading):.2f}"
    name = "rustworkx, from the plain files to the graph"
    table.line(work, ours, memory, f"{float(with_reading):.2f} s", name, ratio, "lower is better")
    return float(descended), int(pairs)


def leavers(table, run, room, store, files, plain, accounts):
    told, memory = figures(run, room, store, "rehearse")
    each = statistics.median(row["ms"] for row in told if row["what"] == "a leaver")
    query = (
        "with recursive held(a, e) as ("
        " select principal_id, entitlement_id from held_by where principal_type = 'account' and principal_id in"
        " (select principal_id from held_by where principal_type = 'account' limit 100)"
        " union select held.a, n.entitlement_id from held"
        " join held_by n on n.principal_type = 'entitlement' and n.principal_id = held.e)"
        " select count(*) from held;"
    )
    tables = [table_name(path) for path in sorted(files.glob("*/grants.csv"))]
    parts = " union all ".join(f'select principal_type, principal_id, entitlement_id from "{name}"' for name in tables)
    run(["sqlite3", plain, f"create table held_by as {parts}; create index h on held_by (principal_type, principal_id);"])
    beside = run(["sqlite3", plain, query]).seconds * 1000 / 100
    sample = sum(1 for row in told if "leaver" in row["what"])
    table.line(
        f"a leaver of {accounts:,} accounts (a sample of {sample})",
        f"{each:.1f} ms", memory, f"{beside:.1f} ms", "sqlite3, nested entitlements only, 100 at once", f"{each / beside:.1f}", "under 20 ms",
    )
    return each


def secrets(table, run, room, store, files, plain):
    """Where secrets stand, beside counting places and lines of readers in plain tables."""
    told, memory = figures(run, room, store, "secrets")
    made = next(row for row in told if row["what"] == "made")
    asked = [(row["ms"], row["what"]) for row in told if row["what"].startswith("window")]
    def union(stem, columns):
        names = [table_name(path) for path in sorted(files.glob(f"*/{stem}.csv"))]
        return " union all ".join(f'select {columns} from "{name}"' for name in names)
    query = (
        f"with l as ({union('locations', 'system, path, credential_id')}), r as ({union('readers', 'system, path, principal_id')})"
        " select count(*) from (select l.credential_id, count(*) from l left join"
        " (select system, path, count(*) n from r group by 1, 2) c on c.system = l.system and c.path = l.path group by 1);"
    )
    beside = run(["sqlite3", plain, query]).seconds
    seconds = made["ms"] / 1000
    name = "sqlite3, places counted by credential with their lines of readers"
    table.line(
        f"where {made['rows']:,} secrets stand, made after the graph",
        f"{seconds:.2f} s", memory, f"{beside:.2f} s", name, f"{seconds / beside:.2f}", "lower is better",
    )
    line(table, f"a window of them, sorted, filtered, of somebody, or one with its readers, {len(asked)} of them",
         asked, memory, [beside * 1000], name, "under 100 ms")


def everyone(table, run, room, store, one, descendants):
    """Everyone's rehearsal at once, beside one after the other and beside plain descendants."""
    told, memory = figures(run, room, store, "everyone")
    all_at_once = [row for row in told if row["table"] == "rehearsals"]
    rows = all_at_once[0]["rows"]
    seconds = statistics.median(row["ms"] for row in all_at_once) / 1000
    after, pairs = descendants
    for beside, name, reach in (
        (after, f"rustworkx, the descendants of each account, {pairs:,} in all", "under 1, 2 GiB"),
        (rows * one / 1000, "one after the other, reckoned from the sample", ""),
    ):
        work = f"everyone's rehearsal, {rows:,} identities, with closing times and known secrets"
        table.line(work, f"{seconds:.2f} s", memory, f"{beside:.2f} s", name, f"{seconds / beside:.3f}", reach)
    return seconds


def after_a_sync(table, run, room, store, change, seconds):
    """Everyone after a sync that changed 0.1%, beside everyone from nothing."""
    told, memory = figures(run, room, store, "again", *change())
    again = {row["what"]: row for row in told if row["table"] == "rehearsals"}
    for what, reach in (("everyone again", "under 0.1"), ("everyone, nothing changed", "")):
        took, rows = again[what]["ms"] / 1000, again[what]["rows"]
        work = f"everyone's rehearsal after a sync, {rows:,} rehearsed anew" if reach else "the same after nothing changed"
        table.line(work, f"{took:.2f} s", memory, f"{seconds:.2f} s", "everyone from nothing", f"{took / seconds:.3f}", reach)
