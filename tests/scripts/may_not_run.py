"""may_not_run.py LIST NOT_RUN: are the cases that did not run allowed not to have run?

LIST is tests/labs/may-not-run.toml: the servers that a machine may lack, each with a probe, a
command that succeeds where the server can be had. NOT_RUN has a line `server<TAB>case<TAB>why`
for each case. A case whose server is not listed, or whose probe succeeds, is a failure: it is
named on stdout, and the status is 1.
"""

import subprocess
import sys
import tomllib


def wrong(listed, lines, succeeds):
    """The sentences about what may not be left out; `succeeds` runs a probe."""
    probes = {server["name"]: server["probe"] for server in listed.get("server", [])}
    problems = []
    answers = {}
    for line in lines:
        parts = line.rstrip("\n").split("\t")
        if len(parts) != 3 or not all(part.strip() for part in parts):
            problems.append(f"not a line of server, case and reason: `{line.strip()}`")
            continue
        server, case, _ = parts
        if server not in probes:
            problems.append(f"`{case}` did not run, and `{server}` is not in the list of servers that may be missing")
            continue
        if server not in answers:
            answers[server] = succeeds(probes[server])
        if answers[server]:
            problems.append(f"`{case}` did not run, although the probe for `{server}` succeeds: {probes[server]}")
    return problems


def run_probe(command):
    """Whether the command ends with 0 within 30 seconds."""
    try:
        done = subprocess.run(
            ["bash", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=30,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main():
    with open(sys.argv[1], "rb") as file:
        listed = tomllib.load(file)
    for server in listed.get("server", []):
        missing = [key for key in ("name", "why", "probe") if not server.get(key)]
        if missing:
            sys.exit(f"an entry of {sys.argv[1]} lacks {', '.join(missing)}: {server}")
    with open(sys.argv[2], encoding="utf-8") as file:
        problems = wrong(listed, file.readlines(), run_probe)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
