#!/usr/bin/env python3
"""Says what happened to people, from a folder of dated rosters and nothing else.

    roster_events.py FOLDER

A line for each event, sorted: event, who, when at the earliest, when at the latest, what changed.
Written after docs/semantics.md, without a look at how Lastkey does it: each person is a word of
letters, one for each roster, and the events are where letters meet. Dates are those of Zurich.
"""

import csv
import datetime
import pathlib
import sys

LETTER = {"Active": "A", "Terminated": "I", "Future hire": "P", "Leave": "L"}
MOVES = [
    ("department", "Org Unit"), ("title", "Job Title"), ("manager_id", "Reports To"),
    ("employer_id", "Agency"), ("location", "Site"),
]
NAMES = [("display_name", "Full Name"), ("email", "Work E-Mail")]


def last_sunday(year, month):
    day = datetime.date(year, month, 31)
    return day - datetime.timedelta(days=(day.weekday() + 1) % 7)


def midnight(day):
    """The start of a day in Zurich, in UTC."""
    summer = last_sunday(day.year, 3) < day <= last_sunday(day.year, 10)
    start = datetime.datetime.combine(day, datetime.time())
    start -= datetime.timedelta(hours=2 if summer else 1)
    return start.strftime("%Y-%m-%dT%H:%M:%SZ")


def start_of(text):
    return midnight(datetime.date.fromisoformat(text))


def end_of(text):
    return midnight(datetime.date.fromisoformat(text) + datetime.timedelta(days=1))


def letters(rows):
    """A letter for each roster; a blank status is the one that was said last, if ever one was."""
    said, word = "A", ""
    for row in rows:
        status = row["Employment Status"] if row else None
        said = LETTER[status] if status else said
        word += said if row else "-"
    return word


def read(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return {row["Personnel No"]: row for row in csv.DictReader(file)}


def last_day(*rows):
    """The end that rows give, the first that gives one; not one before the row's own start."""
    for row in rows:
        if row and row["Last Working Day"]:
            started = row["Hire Date"]
            if not (started and started > row["Last Working Day"]):
                return end_of(row["Last Working Day"])
    return None


def main():
    paths = sorted(pathlib.Path(sys.argv[1]).glob("*.csv"), key=lambda p: (p.stem + "-01")[:10])
    rosters = [read(path) for path in paths]
    moments = [start_of((path.stem + "-01")[:10]) for path in paths]
    everyone = sorted({number for roster in rosters for number in roster})
    lines = []

    def tell(event, who, span, changed):
        lines.append(" ".join([event, who, span[0], span[1], ",".join(changed)]).rstrip())

    def both(moment):
        return (moment, moment)

    for who in everyone:
        rows = [roster.get(who) for roster in rosters]
        word = letters(rows)
        for place in range(1, len(word)):
            span = (moments[place - 1], moments[place])
            was, now = word[place - 1], word[place]
            old, new = rows[place - 1], rows[place]
            past = word[:place]
            worked = any(letter in past for letter in "ALI")
            if was in "-PI" and now in "AL":
                if worked:
                    before = next(row for row in reversed(rows[:place]) if row)
                    if new["Hire Date"] and new["Hire Date"] != before["Hire Date"]:
                        span = both(start_of(new["Hire Date"]))
                    names = MOVES + NAMES
                    tell("rehire", who, span, [n for n, c in names if before[c] != new[c]])
                else:
                    if new["Hire Date"]:
                        span = both(start_of(new["Hire Date"]))
                    tell("joiner", who, span, [])
            elif was in "ALP" and now in "-I":
                end = last_day(new, old)
                no_show = was == "P" and not worked
                # 9999-12-31 and the like: no last day at all.
                if end and int(end[:4]) >= int(span[1][:4]) + 50:
                    end = None
                tell("leaver", who, both(end) if end else span, ["no_show"] if no_show else [])
            elif was in "AL" and now in "AL":
                if was + now == "AL":
                    tell("leave_start", who, span, [])
                if was + now == "LA":
                    tell("leave_end", who, span, [])
                moved = [name for name, column in MOVES if old[column] != new[column]]
                if moved:
                    tell("mover", who, span, moved)
                renamed = [name for name, column in NAMES if old[column] != new[column]]
                if renamed:
                    tell("renamed", who, span, renamed)
                ends = (old["Last Working Day"], new["Last Working Day"])
                if all(ends) and ends[1] > ends[0]:
                    tell("extension", who, span, ["end_date"])
        if word[-1] in "AL":
            end = last_day(rows[-1])
            today = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            if end and end <= today:
                tell("leaver", who, both(end), ["not_marked_by_source"])
    print("\n".join(sorted(lines)))


main()
