"""Deterministic worlds for measuring: a directory as LDIF, and flat files as import-format has them."""

import csv
import random

SUFFIX = "dc=bench,dc=example"


def directory(path, people, groups):
    """People and groups of uneven size, `memberOf` left to the reader; gives back the memberships."""
    rng = random.Random(20100)
    members = 0
    with open(path, "w", encoding="utf-8") as out:
        out.write(f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: Bench\ndc: bench\n\n")
        for unit in ("people", "groups"):
            out.write(f"dn: ou={unit},{SUFFIX}\nobjectClass: organizationalUnit\nou: {unit}\n\n")
        for number in range(people):
            out.write(
                f"dn: uid=u{number},ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: u{number}\n"
                f"cn: Person {number}\nsn: Person\ngivenName: Number {number}\nmail: u{number}@bench.example\n"
                f"employeeNumber: {number}\ntitle: Clerk\ndepartmentNumber: {number % 97}\nuserPassword: bench-{number}\n\n"
            )
        for number in range(groups):
            size = min(people, int(40 * rng.paretovariate(1.16)))
            chosen = rng.sample(range(people), size)
            members += size
            out.write(f"dn: cn=g{number},ou=groups,{SUFFIX}\nobjectClass: groupOfNames\ncn: g{number}\n")
            for person in chosen:
                out.write(f"member: uid=u{person},ou=people,{SUFFIX}\n")
            if number >= 50:
                out.write(f"member: cn=g{rng.randrange(number // 2)},ou=groups,{SUFFIX}\n")
                members += 1
            out.write("\n")
    return members


def changes(path, turn, people, groups):
    """A hundred changes and twenty deletions, other ones in each turn: 60 people changed, 10 new,
    30 groups with a member more, 20 people gone."""
    people_at = f"ou=people,{SUFFIX}"
    first = 200 * turn
    with open(path, "w", encoding="utf-8") as out:
        for number in range(first, first + 60):
            out.write(f"dn: uid=u{number},{people_at}\nchangetype: modify\nreplace: title\ntitle: Turn {turn}\n\n")
        for number in range(people + first, people + first + 10):
            out.write(
                f"dn: uid=u{number},{people_at}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: u{number}\n"
                f"cn: Person {number}\nsn: Person\nemployeeNumber: {number}\nuserPassword: bench-{number}\n\n"
            )
        for number in range(30):
            group = (first + number) % groups
            out.write(
                f"dn: cn=g{group},ou=groups,{SUFFIX}\nchangetype: modify\nadd: member\n"
                f"member: uid=u{people + first + number % 10},{people_at}\n\n"
            )
        for number in range(first + 100, first + 120):
            out.write(f"dn: uid=u{number},{people_at}\nchangetype: delete\n\n")


def write(folder, name, header, rows):
    with open(folder / f"{name}.csv", "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(header)
        writer.writerows(rows)


def flat_files(folder, accounts):
    """An identity for each account, 3.4 grants for each, entitlements in six levels; in `folder`."""
    rng = random.Random(20101)
    entitlements = max(60, accounts // 20)
    nested = entitlements * 2
    level = max(1, entitlements // 6)
    write(
        folder,
        "identities",
        ["id", "kind", "display_name", "email", "status", "department"],
        ([f"p{n}", "person", f"Person {n}", f"p{n}@bench.example", "active", f"d{n % 97}"] for n in range(accounts)),
    )
    write(
        folder,
        "accounts",
        ["system", "id", "name", "kind", "identity_id", "enabled", "local_sign_in", "privileged"],
        (["corp", f"a{n}", f"login{n}", "human", f"p{n}", "true", "true", str(n % 50 == 0).lower()] for n in range(accounts)),
    )
    write(
        folder,
        "entitlements",
        ["system", "id", "name", "kind", "privileged"],
        (["corp", f"e{n}", f"Group {n}", "group", str(n % 40 == 0).lower()] for n in range(entitlements)),
    )

    places = list(range(entitlements))
    rng.shuffle(places)  # the popular ones stand at every level

    def grants():
        for _ in range(accounts * 34 // 10):
            target = min(entitlements - 1, int(rng.paretovariate(0.6)) - 1)
            yield ["corp", "account", f"a{rng.randrange(accounts)}", f"e{places[target]}", "active"]
        for _ in range(nested):
            low = rng.randrange(max(1, entitlements - level))
            high = min(entitlements - 1, low + rng.randrange(1, level + 1))
            yield ["corp", "entitlement", f"e{low}", f"e{high}", "active"]

    write(folder, "grants", ["system", "principal_type", "principal_id", "entitlement_id", "assignment"], grants())


# The column of each file that is changed, and the columns that name a row, as `lastkey diff` joins them.
CHANGED = {
    "identities": ("department", ["id"]),
    "accounts": ("name", ["system", "id"]),
    "grants": ("assignment", ["system", "entitlement_id", "principal_type", "principal_system", "principal_id"]),
}
KINDS = {"identities": "identity", "accounts": "account", "grants": "grant"}


def another(column, value):
    """A value that is not the one there."""
    if column == "assignment":
        return "active" if value == "eligible" else "eligible"
    return f"{value} renamed".strip()


def end_one_in_a_thousand(folder):
    """Disables every thousandth account below `folder`, or enables it again, and takes every thousandth
    grant away: changes on which answers depend."""
    for path in sorted([*folder.glob("*/accounts.csv"), *folder.glob("*/grants.csv")]):
        header = next((header for _, header, _ in rows_of(path)), None)
        if header is None:
            continue
        enabled = header.index("enabled") if "enabled" in header else None
        fresh = path.with_suffix(".new")
        with open(fresh, "w", encoding="utf-8", newline="") as new:
            writer = csv.writer(new)
            writer.writerow(header)
            for number, _, row in rows_of(path):
                if number % 1000 == 500:
                    if path.stem == "grants":
                        continue
                    if enabled is not None:
                        row[enabled] = "false" if row[enabled] == "true" else "true"
                writer.writerow(row)
        fresh.replace(path)


def row_name(row, header, columns):
    """The id of a row; a principal is of the row's own system unless it says another."""
    cells = dict(zip(header, row))
    cells["principal_system"] = cells.get("principal_system") or cells.get("system", "")
    return ":".join(cells[column] for column in columns)


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        header = next(rows)
        for number, row in enumerate(rows):
            yield number, header, row


def change_one_in_a_thousand(folder):
    """Changes every thousandth row of the identities, accounts and grants below `folder`, except of
    dated rosters and of rows that stand there twice; gives back kind, id and column of each. Columns
    and all other rows stay as they are."""
    changed = []
    for path in sorted(folder.glob("*/*.csv")):
        column, names = CHANGED.get(path.stem, (None, None))
        if column is None:
            continue
        header = next((header for _, header, _ in rows_of(path)), [])
        if column not in header:
            continue
        chosen = {number: row_name(row, header, names) for number, _, row in rows_of(path) if number % 1000 == 500}
        met = dict.fromkeys(chosen.values(), 0)
        for _, _, row in rows_of(path):
            name = row_name(row, header, names)
            if name in met:
                met[name] += 1
        at = header.index(column)
        fresh = path.with_suffix(".new")
        with open(fresh, "w", encoding="utf-8", newline="") as new:
            writer = csv.writer(new)
            writer.writerow(header)
            for number, _, row in rows_of(path):
                name = chosen.get(number)
                if name is not None and met[name] == 1:
                    row[at] = another(column, row[at])
                    changed.append((KINDS[path.stem], path.parent.name, name, column))
                writer.writerow(row)
        fresh.replace(path)
    return changed
