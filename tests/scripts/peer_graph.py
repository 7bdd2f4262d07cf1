"""peer_graph.py FOLDER [descendants]: the grants of every grants.csv below FOLDER as a rustworkx graph.

Prints the seconds that building it took, and by how many MiB the process grew, once the rows were
read; and the seconds with reading them, which is what a graph out of a store takes too. With `descendants` also the seconds that the descendants of every
account took, one account after the other, and how many they are in all.
"""

import array
import csv
import pathlib
import sys
import time

import rustworkx


def resident():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def main():
    numbers, ends, started = {}, array.array("I"), time.monotonic()
    descendants = sys.argv[2:] == ["descendants"]
    for path in sorted(pathlib.Path(sys.argv[1]).glob("**/grants.csv")):
        with open(path, encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                system = row["system"]
                of = row.get("principal_system") or system
                for key in ((row["principal_type"], of, row["principal_id"]), ("entitlement", system, row["entitlement_id"])):
                    ends.append(numbers.setdefault(key, len(numbers)))
    count = len(numbers)
    accounts = [number for (kind, _, _), number in numbers.items() if kind == "account"] if descendants else []
    numbers.clear()
    before, began = resident(), time.monotonic()
    graph = rustworkx.PyDiGraph()
    graph.add_nodes_from(range(count))
    graph.extend_from_edge_list(list(zip(ends[::2], ends[1::2])))
    ended = time.monotonic()
    told = f"{ended - began:.3f} {ended - started:.3f} {resident() - before:.0f} {graph.num_nodes()} {graph.num_edges()}"
    if descendants:
        began = time.monotonic()
        pairs = sum(len(rustworkx.descendants(graph, account)) for account in accounts)
        told += f" {time.monotonic() - began:.3f} {pairs}"
    print(told)


if __name__ == "__main__":
    main()
