#!/usr/bin/env python3
"""Writes dated extracts of the accounts of one system, for the people of a folder of dated rosters.

    extracts.py ROSTERS FOLDER

The same bytes each time. Everybody has an account from the first roster on that lists them. What becomes
of it when they leave is a matter of dice: disabled at once or late, with or without a date, deleted,
forgotten, enabled again. Some extracts have a row that cannot be read.
"""

import csv
import datetime
import pathlib
import random
import subprocess
import sys

dice = random.Random(20190103)
UTC = datetime.timezone.utc


def moment(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def text(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def fate(left):
    """What is done to an account after somebody left: moments, and the state from then on."""
    hours, days = datetime.timedelta(hours=1), datetime.timedelta(days=1)
    at = left + dice.randint(0, 20) * hours
    late = left + dice.randint(30, 2000) * hours
    kind = dice.random()
    if kind < 0.3:
        return [(at, ("false", text(at)))]
    if kind < 0.4:
        return [(at, ("false", ""))]
    if kind < 0.55:
        return [(at, None)]
    if kind < 0.65:
        return [(late, ("false", text(late)))]
    if kind < 0.75:
        return [(late, ("false", ""))]
    if kind < 0.85:
        return [(late, None)]
    if kind < 0.92:
        again = at + dice.randint(20, 60) * days
        return [(at, ("false", text(at))), (again, ("true", text(at)))]
    return []


def main():
    rosters, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    events = subprocess.run(
        [sys.executable, pathlib.Path(__file__).with_name("roster_events.py"), rosters],
        capture_output=True, text=True, check=True,
    ).stdout
    done = {}
    for line in events.splitlines():
        event, who, earliest, latest = line.split(" ")[:4]
        earliest, latest = moment(earliest), moment(latest)
        span = int((latest - earliest).total_seconds())
        at = earliest + datetime.timedelta(seconds=dice.randint(0, span))
        if event in ("joiner", "rehire"):
            done.setdefault(who, []).append((at, ("true", "")))
        if event == "leaver":
            done.setdefault(who, []).extend(fate(at))
    everyone = set()
    for path in sorted(rosters.glob("*.csv")):
        with open(path, encoding="utf-8-sig", newline="") as file:
            everyone |= {row["Personnel No"] for row in csv.DictReader(file)}
    day = datetime.date(2019, 1, 1)
    number = 0
    while day < datetime.date(2020, 8, 1):
        number += 1
        at = datetime.datetime.combine(day, datetime.time(12), UTC)
        rows = []
        for who in sorted(everyone):
            state = ("true", "")
            for since, then in sorted(done.get(who, []), key=lambda one: one[0]):
                if since <= at:
                    state = then
            if state:
                rows.append(["core", "a" + who, who, *state])
        if number % 9 == 0:
            # Somebody's row cannot be read: nobody knows what else is wrong.
            rows[dice.randrange(len(rows))][3] = "perhaps"
        with open(folder / f"{day}.csv", "w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(["system", "id", "identity_id", "enabled", "disabled_at"])
            lines.writerows(rows)
        day += datetime.timedelta(days=dice.randint(9, 18))


main()
