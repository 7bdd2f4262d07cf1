"""measure.py small|full RUNS [read] [files]: what ./bench measures. Expects lastkey (release) on PATH.

Each figure of Lastkey stands beside a plain tool doing the nearest thing on the same machine in
the same run. The table shows medians of RUNS, and the ratio that peers are held against.
"""

import base64
import json
import os
import pathlib
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import answers
import seed

# As long as a real one: what is shorter is not looked for in facts.
PASSWORD = "bench-1f0c-directory"
PLAN = """
[[step]]
on = "leaver"
system = "corp"
does = "disable_account"
how = "automatic"
within = "15m"
"""


# What takes longer than this many seconds hangs.
LONGEST = 900


def stop(sentence):
    sys.exit(f"bench: {sentence}")


class Run:
    """One timed command: seconds and the largest resident size in MiB."""

    def __init__(self, command, allowed=(0,), out=os.devnull, env=None):
        with open(out, "wb") as stdout, tempfile.TemporaryFile() as stderr:
            started = time.monotonic()
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env={**os.environ, **(env or {})}
            )
            watch = threading.Timer(LONGEST, process.kill)
            watch.start()
            _, status, usage = os.wait4(process.pid, 0)
            watch.cancel()
            self.seconds = time.monotonic() - started
            self.mebibytes = usage.ru_maxrss / 1024
            code = os.waitstatus_to_exitcode(status)
            if code not in allowed:
                stderr.seek(0)
                tail = stderr.read().decode(errors="replace")[-800:]
                stop(f"`{' '.join(map(str, command))[:160]}` ended with {code}\n{tail}")


def median(runs):
    return statistics.median(run.seconds for run in runs)


class Table:
    HEAD = ("work", "lastkey", "most memory", "beside", "what stands beside", "ratio", "to reach")

    def __init__(self):
        self.rows = []

    def add(self, work, ours, beside, beside_name, reach):
        ratio = median(ours) / median(beside)
        size = max(run.mebibytes for run in ours)
        self.rows.append(
            (work, f"{median(ours):.2f} s", f"{size:.0f} MiB", f"{median(beside):.2f} s", beside_name, f"{ratio:.2f}", reach)
        )

    def line(self, work, ours, size, beside, beside_name, ratio, reach):
        """A row whose figures are no seconds of whole commands."""
        self.rows.append((work, ours, f"{size:.0f} MiB", beside, beside_name, ratio, reach))

    def markdown(self):
        yield "| " + " | ".join(self.HEAD) + " |"
        yield "|" + "---|" * len(self.HEAD)
        for row in self.rows:
            yield "| " + " | ".join(row) + " |"

    def show(self):
        head = self.HEAD
        rows = [head, *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def lastkey(store, *words):
    return ["lastkey", "--quiet", "--store", str(store), *map(str, words)]


def forget(store):
    for path in store.parent.glob(store.name + "*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def certificates(folder):
    """An own CA and a certificate for 127.0.0.1."""
    extensions = folder / "san"
    extensions.write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    Run([*new, "-x509", "-subj", "/CN=bench CA", "-keyout", folder / "ca.key", "-out", folder / "ca.pem"])
    Run([*new, "-subj", "/CN=127.0.0.1", "-keyout", folder / "server.key", "-out", folder / "server.csr"])
    Run(
        ["openssl", "x509", "-req", "-in", folder / "server.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key"]
        + ["-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", folder / "server.pem"]
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_directory(folder, people, groups):
    """A slapd with people and groups; gives back the process and its address."""
    certificates(folder)
    (folder / "db").mkdir()
    schemas = "".join(f"include /etc/ldap/schema/{name}.schema\n" for name in ("core", "cosine", "inetorgperson"))
    (folder / "slapd.conf").write_text(
        f"{schemas}pidfile {folder}/pid\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\nmoduleload syncprov\n"
        f"TLSCertificateFile {folder}/server.pem\nTLSCertificateKeyFile {folder}/server.key\n"
        f'database mdb\nsuffix "{seed.SUFFIX}"\nrootdn "cn=admin,{seed.SUFFIX}"\nrootpw {PASSWORD}\n'
        f"directory {folder}/db\nmaxsize 4294967296\nindex objectClass,entryUUID,entryCSN,uid,member eq\n"
        "overlay syncprov\nsyncprov-sessionlog 10000\n"
    )
    members = seed.directory(folder / "seed.ldif", people, groups)
    print(f"directory: {people:,} people, {groups:,} groups, {members:,} memberships", file=sys.stderr)
    Run(["/usr/sbin/slapadd", "-q", "-w", "-f", folder / "slapd.conf", "-l", folder / "seed.ldif"])
    port = free_port()
    address = f"ldaps://127.0.0.1:{port}"
    process = subprocess.Popen(
        ["/usr/sbin/slapd", "-d", "0", "-f", folder / "slapd.conf", "-h", address],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process, address
        time.sleep(0.1)
    process.terminate()
    stop("the directory did not start")


def processor_seconds(process):
    """What a process has worked so far."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_directory(table, room, people, groups, runs):
    folder = room / "directory"
    folder.mkdir()
    process, address = start_directory(folder, people, groups)
    try:
        secret = folder / "secret"
        secret.write_text(PASSWORD)
        admin = f"cn=admin,{seed.SUFFIX}"
        dump = ["ldapsearch", "-LLL", "-x", "-H", address, "-D", admin, "-y", secret, "-b", seed.SUFFIX]
        dump += ["-E", "pr=1000/noprompt", "(objectClass=*)", "*", "+"]
        ours, beside, alone, again, server = [], [], [], [], []
        for turn in range(runs):
            beside.append(Run(dump, env={"LDAPTLS_CACERT": str(folder / "ca.pem")}))
            store = room / "directory.lastkey"
            forget(store)
            settings = {"url": address, "bind_dn": admin, "base_dn": seed.SUFFIX, "ca_file": folder / "ca.pem", "system": "corp"}
            words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
            Run(lastkey(store, "source", "add", "ldap", "corp", *words, "--secret-file", secret))
            ours.append(Run(lastkey(store, "sync", "corp")))
            told = {f"SET_{key.upper()}": str(value) for key, value in settings.items()}
            alone.append(Run(["read_to_end"], env={**told, "SECRET_FILE": str(secret)}))
            changes = folder / "changes.ldif"
            seed.changes(changes, turn, people, groups)
            Run(["ldapmodify", "-x", "-H", address, "-D", admin, "-y", secret, "-f", changes],
                env={"LDAPTLS_CACERT": str(folder / "ca.pem")})
            before = processor_seconds(process)
            again.append(Run(lastkey(store, "sync", "corp")))
            server.append(processor_seconds(process) - before)
        name = "ldapsearch, all attributes, paged, TLS"
        table.add("read a directory", ours, beside, name, "at most 4")
        table.add("the reader alone, no store", alone, beside, name, "at most 1.5")
        table.add("the same again, 100 changed, 20 gone", again, ours, "the first read", "lower is better")
        print(f"100 changes and 20 deletions: {statistics.median(server):.2f} s of the directory's own time", file=sys.stderr)
    finally:
        process.terminate()
        process.wait()


class Sum:
    """Several commands as one: their seconds together, the largest of their sizes."""

    def __init__(self, runs):
        self.seconds = sum(run.seconds for run in runs)
        self.mebibytes = max(run.mebibytes for run in runs)


def write_files(folder, scale):
    """The large practice estate, or a tenth of its size in one folder; gives back the folders."""
    if scale == "full":
        Run(["lastkey", "--quiet", "demo", "--size", "large", "--dir", folder, "--files-only"])
        return sorted(path for path in folder.iterdir() if path.is_dir())
    (folder / "files").mkdir(parents=True)
    seed.flat_files(folder / "files", 100_000)
    return [folder / "files"]


def rows_of(paths):
    total = 0
    for path in paths:
        with open(path, "rb") as file:
            total += sum(1 for _ in file) - 1
    return total


def measure_files(table, room, scale, runs):
    """Imports, the same again with changes, and what the store answers then."""
    original, folder = room / "original", room / "estate"
    folders = [path.name for path in write_files(original, scale)]
    files = sorted(original.glob("*/*.csv"))
    accounts = rows_of(path for path in files if path.name == "accounts.csv")
    grants = rows_of(path for path in files if path.name == "grants.csv")
    print(f"files: {accounts:,} accounts, {grants:,} grants, {rows_of(files):,} rows", file=sys.stderr)
    store, plain = room / "files.lastkey", room / "plain.db"
    ours, beside, again = [], [], []
    for turn in range(runs):
        print(f"import {turn + 1} of {runs}", file=sys.stderr)
        forget(store)
        plain.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(original, folder)
        names = {path: answers.table_name(path) for path in files}
        imports = [f".import {path} {name}" for path, name in names.items()]
        beside.append(Run(["sqlite3", plain, "-cmd", ".mode csv", *imports]))
        # Dated rosters are imported in their order; all other folders are read together.
        read = [name for name in folders if name != "hr"]
        first = [Run(lastkey(store, "import", folder / name, "--as", name, "--series")) for name in folders if name == "hr"]
        first += [Run(lastkey(store, "source", "add", "flat-files", name, "--set", f"path={folder / name}")) for name in read]
        first.append(Run(lastkey(store, "sync", *read)))
        ours.append(Sum(first))
        changed = seed.change_one_in_a_thousand(folder)
        last = latest_sync(store)
        again.append(Run(lastkey(store, "sync", *read)))
    print(f"{len(changed):,} rows changed", file=sys.stderr)
    table.add(f"import {accounts:,} accounts and {grants:,} grants", ours, beside, "sqlite3 .import of the same files", "at most 5")
    table.add("the same again, 0.1% changed", again, ours, "the first import", "at most 0.25")
    measure_diff(table, room, store, original, folder, last, changed, runs)
    plan = room / "plan.toml"
    plan.write_text(PLAN)
    if (original / "plan.toml").exists():
        plan = original / "plan.toml"
    Run(lastkey(store, "plan", "load", plan))

    def change():
        """Puts the files back as they were before the change, and makes one on which answers depend; gives
        back which sources read them."""
        for name in read:
            shutil.copytree(original / name, folder / name, dirs_exist_ok=True)
        seed.end_one_in_a_thousand(folder)
        return read

    answers.measure(table, room, store, original, plain, accounts, Run, lastkey, change)


def latest_sync(store):
    """The number of the newest sync."""
    told = subprocess.run(lastkey(store, "--json", "source", "list"), check=True, capture_output=True, text=True).stdout
    return max(source["last_sync"] or 0 for source in json.loads(told))


def measure_diff(table, room, store, original, folder, last, changed, runs):
    """What differs since a sync, which must be the rows that were changed and nothing else."""
    out = room / "diff.jsonl"
    ours = [Run(lastkey(store, "--json", "diff", last, "now"), out=out) for _ in range(runs)]
    found, other = [], 0
    for line in out.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["what"] == "changed" and len(row["changed"]) == 1:
            found.append((row["kind"], row["source"], row["id"], row["changed"][0]["column"]))
        elif row["what"] not in ("count",):
            other += 1
    if other or sorted(found) != sorted(changed):
        missing, more = set(changed) - set(found), set(found) - set(changed)
        stop(f"the diff names {len(found):,} of {len(changed):,} changed rows and {other:,} others; "
             f"missing {sorted(missing)[:3]}, too many {sorted(more)[:3]}")
    # The floor: whoever still has both states as files.
    beside = [Run(["diff", "-r", original, folder], allowed=(0, 1)) for _ in range(runs)]
    table.add(f"diff of the two: exactly the {len(changed):,} changed rows", ours, beside, "diff -r of the files before and after", "exact")


def machine():
    """What the figures are of."""
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    total = next(line for line in pathlib.Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    memory = int(total.split()[1]) / 1024 / 1024
    return f"{model}, {os.cpu_count()} processors, {memory:.0f} GiB, Linux {os.uname().release}"


def busy(load):
    """Whether the machine did anything else, from its load before the first figure was taken."""
    said = f"load {load:.1f} before, {os.getloadavg()[0]:.1f} at the end"
    return f"BUSY with other work ({said})" if load > 0.7 else f"quiet ({said})"


def write_page(table, scale, runs, load):
    """Puts the table into docs/performance.md, between its marks."""
    page = pathlib.Path(__file__).resolve().parents[2] / "docs" / "performance.md"
    text = page.read_text(encoding="utf-8")
    begin, end = "<!-- figures: ./bench writes what follows -->", "<!-- end of figures -->"
    before, rest = text.split(begin, 1)
    after = rest.split(end, 1)[1]
    about = f"{machine()}; {time.strftime('%Y-%m-%d')}; medians of {runs}; {busy(load)}"
    what = "the large practice estate" if scale == "full" else "a tenth of the large size"
    lines = [begin, "", f"{about}. Files: {what}.", "", *table.markdown(), "", end]
    page.write_text(before + "\n".join(lines) + after, encoding="utf-8")


def main():
    scale, runs = sys.argv[1], int(sys.argv[2])
    parts = sys.argv[3:] or ["read", "files"]
    with tempfile.TemporaryDirectory(prefix="lastkey-bench-") as name:
        room = pathlib.Path(name)
        key = room / "key"
        key.touch(mode=0o600)
        key.write_bytes(base64.b64encode(os.urandom(32)))
        os.environ["LASTKEY_KEY_FILE"] = str(key)
        os.environ["XDG_DATA_HOME"] = os.environ["XDG_CONFIG_HOME"] = str(room)
        table = Table()
        load, began = os.getloadavg()[0], time.monotonic()
        try:
            if "read" in parts:
                measure_directory(table, room, 100_000, 5_000, runs)
            if "files" in parts:
                measure_files(table, room, scale, runs)
        finally:
            # Where something fails, what was measured before is said all the same.
            minutes = (time.monotonic() - began) / 60
            print(f"medians of {runs}; {machine()}; {busy(load)}; {minutes:.0f} minutes\n")
            table.show()
    if parts == ["read", "files"]:
        write_page(table, scale, runs, load)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
