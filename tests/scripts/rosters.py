#!/usr/bin/env python3
"""Writes a series of 18 dated rosters of about 2,000 people, as another system would export them.

    rosters.py FOLDER

The same bytes each time. What happened in them is nowhere but in the files: roster_events.py finds it
there again, and so must Lastkey.
"""

import csv
import datetime
import pathlib
import random
import sys

# One month has no roster, some days have one of their own.
DATES = [
    "2019-01", "2019-02", "2019-03", "2019-04", "2019-05", "2019-06", "2019-07", "2019-08-15",
    "2019-09", "2019-11", "2019-12", "2020-01", "2020-02", "2020-03-31", "2020-04", "2020-05",
    "2020-06", "2020-07",
]
COLUMNS = [
    "Personnel No", "Full Name", "Work E-Mail", "Employment Status", "Org Unit", "Job Title",
    "Reports To", "Agency", "Site", "Hire Date", "Last Working Day", "Cost Centre",
]
UNITS = ["Payments", "Risk, Audit", "Sales", "Operations", "Treasury", "IT"]
TITLES = ["Clerk", "Analyst", "Lead", 'Head "A"', "Engineer"]
SITES = ["Zürich", "Genève", "Łódź", "São Paulo", ""]
AGENCIES = ["", "", "", "V-100", "V-200"]
NAMES = ["Ann", "Bob", "Chloé", "Dörte", "Емилия", "Fatima", "Güneş", "Hugo", "李", "Jörg"]

dice = random.Random(20190101)
# Which cells somebody forgot to fill; what happens to people does not hang on it.
slips = random.Random(20190102)


def first_day(stem):
    parts = [int(part) for part in stem.split("-")]
    return datetime.date(parts[0], parts[1], parts[2] if len(parts) > 2 else 1)


def near(day, low, high):
    return (day + datetime.timedelta(days=dice.randint(low, high))).isoformat()


class Company:
    def __init__(self):
        self.rows = {}
        self.gone = []
        self.number = 0

    def hire(self, status, hired):
        self.number += 1
        number = f"{self.number:06d}"
        name = f"{dice.choice(NAMES)} {number}"
        self.rows[number] = {
            "Personnel No": number,
            "Full Name": name,
            "Work E-Mail": f"{number}@example.org",
            "Employment Status": status,
            "Org Unit": dice.choice(UNITS),
            "Job Title": dice.choice(TITLES),
            "Reports To": f"{dice.randint(1, 200):06d}" if dice.random() < 0.9 else "",
            "Agency": dice.choice(AGENCIES),
            "Site": dice.choice(SITES),
            "Hire Date": hired,
            "Last Working Day": "",
            "Cost Centre": str(dice.randint(1000, 9999)),
        }
        return self.rows[number]

    def some(self, status, count):
        found = [n for n, row in self.rows.items() if row["Employment Status"] == status]
        return [self.rows[n] for n in dice.sample(sorted(found), min(count, len(found)))]

    def month(self, day):
        """What happens before the roster of a day is written."""
        # Who left stays in the rosters for a while, and sometimes comes back.
        for row in self.some("Terminated", 25):
            if dice.random() < 0.3:
                row["Employment Status"] = "Active"
                row["Last Working Day"] = ""
                if dice.random() < 0.7:
                    row["Hire Date"] = near(day, -20, -1)
            else:
                self.gone.append(self.rows.pop(row["Personnel No"]))
        for row in self.some("Future hire", 8):
            outcome = dice.random()
            if outcome < 0.6:
                row["Employment Status"] = "Active"
            elif outcome < 0.8:
                del self.rows[row["Personnel No"]]
            else:
                row["Employment Status"] = "Terminated"
        for row in self.some("Leave", 6):
            row["Employment Status"] = dice.choice(["Active", "Active", "Terminated"])
        for row in self.some("Active", 12):
            row["Employment Status"] = "Leave"
        # Announced, then over; or over at once; or never marked; or put off.
        for row in self.some("Active", 14):
            row["Last Working Day"] = near(day, 1, 40)
        for row in self.some("Active", 600):
            last = row["Last Working Day"]
            if last and last < day.isoformat():
                fate = dice.random()
                if fate < 0.5:
                    row["Employment Status"] = "Terminated"
                elif fate < 0.7:
                    self.gone.append(self.rows.pop(row["Personnel No"]))
            elif last and dice.random() < 0.5:
                row["Last Working Day"] = near(datetime.date.fromisoformat(last), 10, 90)
        for row in self.some("Active", 8):
            row["Employment Status"] = "Terminated"
            row["Last Working Day"] = near(day, -25, -1) if dice.random() < 0.5 else ""
        for row in self.some("Active", 8):
            self.gone.append(self.rows.pop(row["Personnel No"]))
        if self.gone and dice.random() < 0.8:
            row = self.gone.pop(dice.randrange(len(self.gone)))
            row["Employment Status"] = "Active"
            row["Last Working Day"] = ""
            row["Hire Date"] = near(day, -10, -1)
            self.rows[row["Personnel No"]] = row
        # Moves: one thing or several, into and out of a blank; and what is no move.
        for row in self.some("Active", 30) + self.some("Terminated", 3) + self.some("Leave", 2):
            for column, choices in [
                ("Org Unit", UNITS), ("Job Title", TITLES), ("Site", SITES), ("Agency", AGENCIES),
                ("Reports To", [f"{dice.randint(1, 200):06d}", ""]),
            ]:
                if dice.random() < 0.3:
                    row[column] = dice.choice(choices)
        for row in self.some("Active", 5):
            row["Full Name"] += "-Smith"
        for row in self.some("Active", 20):
            row["Cost Centre"] = str(dice.randint(1000, 9999))
        for _ in range(dice.randint(15, 30)):
            hired = "" if dice.random() < 0.2 else near(day, -25, -1)
            self.hire("Active", hired)
        for _ in range(6):
            self.hire("Future hire", near(day, 5, 60))
        for _ in range(2):
            self.hire("Terminated", near(day, -900, -400))


def write(path, rows, place):
    columns = COLUMNS[:]
    if place % 5 == 3:
        dice.shuffle(columns)
    dice.shuffle(rows)
    encoding = "utf-8-sig" if place % 4 == 1 else "utf-8"
    ending = "\r\n" if place % 3 == 0 else "\n"
    with open(path, "w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator=ending)
        writer.writeheader()
        for row in rows:
            # Who is away or gone is easily lost among the others.
            often = 0.004 if row["Employment Status"] == "Active" else 0.1
            blank = {"Employment Status": ""} if slips.random() < often else {}
            writer.writerow(row | blank)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True)
    company = Company()
    for _ in range(1900):
        company.hire("Active", near(datetime.date(2018, 1, 1), -3000, 300))
    for status, count in [("Terminated", 40), ("Leave", 30), ("Future hire", 20)]:
        for _ in range(count):
            company.hire(status, near(datetime.date(2019, 1, 1), -300, 60))
    for place, stem in enumerate(DATES):
        if place > 0:
            company.month(first_day(stem))
        write(folder / f"{stem}.csv", list(company.rows.values()), place)


main()
