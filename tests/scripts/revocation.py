#!/usr/bin/env python3
"""Says for how long accounts stayed open after people left, from dated rosters and dated extracts.

    revocation.py ROSTERS EXTRACTS

A line for each leaver and account, sorted: who, when at the earliest, when at the latest, the account,
the lower bound, the upper bound (seconds, `-` where nothing proves it closed), and what that is against
a limit of 24 hours. Written after docs/semantics.md, without a look at how Lastkey does it: it asks of
each extract in turn what it shows. Who never came, and who left twice at once, is left out.
"""

import csv
import datetime
import pathlib
import subprocess
import sys

UTC = datetime.timezone.utc
LIMIT = 24 * 3600


def moment(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def last_sunday(year, month):
    day = datetime.date(year, month, 31)
    return day - datetime.timedelta(days=(day.weekday() + 1) % 7)


def midnight(day):
    """The start of a day in Zurich."""
    summer = last_sunday(day.year, 3) < day <= last_sunday(day.year, 10)
    start = datetime.datetime.combine(day, datetime.time(), UTC)
    return start - datetime.timedelta(hours=2 if summer else 1)


def extracts(folder):
    """Moment, whether it was read to its end, and the rows of accounts that can be read."""
    for path in sorted(folder.glob("*.csv")):
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        fine = {row["id"]: row for row in rows if row["enabled"] in ("true", "false")}
        yield midnight(datetime.date.fromisoformat(path.stem)), len(fine) == len(rows), fine


def there_at_first(rosters):
    """Who is at work in the first roster; a blank status says nothing against it."""
    path = min(rosters.glob("*.csv"), key=lambda path: (path.stem + "-01")[:10])
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["Personnel No"] for row in rows if row["Employment Status"] in ("", "Active", "Leave")}


def times_gone(events, there):
    """Of everybody: the leavings, each with the return after it."""
    people = {}
    for line in events.splitlines():
        event, who, earliest, latest, *marks = line.split(" ")
        if event in ("leaver", "joiner", "rehire"):
            one = (moment(latest), moment(earliest), event, " ".join(marks))
            people.setdefault(who, []).append(one)
    for who, told in people.items():
        left = sorted(one for one in told if one[2] == "leaver")
        back = sorted(one for one in told if one[2] != "leaver")
        if not left or any("no_show" in one[3] for one in left):
            continue
        # They alternate: whoever was not there at first came before the first leaving.
        if who not in there:
            back = back[1:]
        for place, (latest, earliest, _, _) in enumerate(left):
            yield who, earliest, latest, back[place][1] if place < len(back) else None


def main():
    rosters, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    events = subprocess.run(
        [sys.executable, pathlib.Path(__file__).with_name("roster_events.py"), rosters],
        capture_output=True, text=True, check=True,
    ).stdout
    reads = list(extracts(folder))
    lines = []
    for who, earliest, latest, back in times_gone(events, there_at_first(rosters)):
        account = "a" + who
        was_there = False
        last_open, closed, second_time = None, None, False
        for at, complete, rows in reads:
            row = rows.get(account)
            was_there = was_there or row is not None
            if row and row["enabled"] == "true":
                if back and at >= back:
                    second_time = True
                    break
                last_open, closed = at, None
            elif complete and was_there and closed is None:
                closed = at
                own = moment(row["disabled_at"]) if row and row["disabled_at"] else None
                if own and (last_open is None or own >= last_open):
                    closed = min(own, at)
        first = next((at for at, _, rows in reads if account in rows), None)
        if first is None or (back and first >= back):
            continue
        # What was closed on the last day was closed for the leaving; what was closed before that was not theirs.
        day = datetime.timedelta(days=1)
        if closed and closed <= earliest and (last_open is None or closed <= earliest - day):
            continue
        lower = max(0, int((last_open - latest).total_seconds())) if last_open else 0
        upper = max(0, int((closed - earliest).total_seconds())) if closed else None
        if lower > LIMIT:
            state = "closed late" if closed else "still open"
        elif upper is not None and upper <= LIMIT:
            state = "closed in time"
        else:
            state = "indeterminate"
        span = [at.strftime("%Y-%m-%dT%H:%M:%SZ") for at in (earliest, latest)]
        shown = "-" if upper is None else str(upper)
        lines.append(" ".join([who, *span, account, str(lower), shown, state]))
    print("\n".join(sorted(lines)))


main()
