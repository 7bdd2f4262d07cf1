"""measure.py small|full RUNS: what ./bench measures. Expects lastkey (release) on PATH.

Each figure of Lastkey stands beside a plain tool doing the nearest thing on the same machine in
the same run. The table shows medians of RUNS, and the ratio that peers are held against.
"""

import base64
import os
import pathlib
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

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
            _, status, usage = os.wait4(process.pid, 0)
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
    def __init__(self):
        self.rows = []

    def add(self, work, ours, beside, beside_name, reach):
        ratio = median(ours) / median(beside)
        size = max(run.mebibytes for run in ours)
        self.rows.append(
            (work, f"{median(ours):.2f} s", f"{size:.0f} MiB", f"{median(beside):.2f} s", beside_name, f"{ratio:.2f}", reach)
        )

    def show(self):
        head = ("work", "lastkey", "most memory", "beside", "what stands beside", "ratio", "to reach")
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


def measure_files(table, room, accounts, runs):
    folder = room / "files"
    folder.mkdir()
    seed.flat_files(folder, accounts)
    names = sorted(path.stem for path in folder.glob("*.csv"))
    print(f"files: {accounts:,} accounts, {accounts * 34 // 10:,} grants", file=sys.stderr)
    store, plain = room / "files.lastkey", room / "plain.db"
    ours, beside, again = [], [], []
    original = (folder / "accounts.csv").read_bytes()
    for _ in range(runs):
        forget(store)
        plain.unlink(missing_ok=True)
        (folder / "accounts.csv").write_bytes(original)
        beside.append(Run(["sqlite3", plain, "-cmd", ".mode csv", *[f".import {folder}/{name}.csv {name}" for name in names]]))
        ours.append(Run(lastkey(store, "import", folder, "--as", "files")))
        seed.change_one_in_a_thousand(folder)
        again.append(Run(lastkey(store, "sync", "files")))
    table.add("import flat files", ours, beside, "sqlite3 .import of the same files", "at most 5")
    table.add("the same again, 0.1% changed", again, ours, "the first import", "at most 0.25")

    plan = room / "plan.toml"
    plan.write_text(PLAN)
    Run(lastkey(store, "plan", "load", plan))
    Run(["sqlite3", plain, "create index g on grants (principal_type, principal_id);"])
    sample = max(1, accounts // 10_000)
    query = (
        "with recursive held(a, e) as ("
        " select principal_id, entitlement_id from grants where principal_type = 'account'"
        f" and substr(principal_id, 2) % {sample} = 0"
        " union select held.a, n.entitlement_id from held"
        " join grants n on n.principal_type = 'entitlement' and n.principal_id = held.e)"
        " select count(*) from held;"
    )
    ours, beside = [], []
    for _ in range(runs):
        # status 1 is an answer: some leaving fails its limits
        ours.append(Run(lastkey(store, "rehearse", "leaver", "--all", "--json"), allowed=(0, 1), out=room / "r.jsonl"))
        run = Run(["sqlite3", plain, query])
        run.seconds *= sample
        beside.append(run)
    with open(room / "r.jsonl", "rb") as lines:
        rehearsed = sum(1 for _ in lines)
    if rehearsed < accounts:
        stop(f"{rehearsed} of {accounts} identities were rehearsed")
    name = "sqlite3, nested entitlements only" + ("" if sample == 1 else f" (1 in {sample}, scaled)")
    table.add(f"rehearse all {accounts:,} leavers", ours, beside, name, "lower is better")


def main():
    scale, runs = sys.argv[1], int(sys.argv[2])
    tenth = 1 if scale == "full" else 10
    with tempfile.TemporaryDirectory(prefix="lastkey-bench-") as name:
        room = pathlib.Path(name)
        key = room / "key"
        key.touch(mode=0o600)
        key.write_bytes(base64.b64encode(os.urandom(32)))
        os.environ["LASTKEY_KEY_FILE"] = str(key)
        os.environ["XDG_DATA_HOME"] = os.environ["XDG_CONFIG_HOME"] = str(room)
        table = Table()
        measure_directory(table, room, 100_000, 5_000, runs)
        measure_files(table, room, 1_000_000 // tenth, runs)
    print(f"medians of {runs}; {os.cpu_count()} processors; load {os.getloadavg()[0]:.1f}\n")
    table.show()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
