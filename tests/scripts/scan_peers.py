"""scan_peers.py FOLDER TREE [--gib N] [--runs N]: how fast the workstation scan is beside its peers.

Copies files of FOLDER (a large checkout, a cargo registry) into TREE until it has N GiB (1), plants a
known set of secrets in it, made at run time, and runs on it, one after the other and in turn: the
scan (`read_to_end` of connectors/workstation, built for release, in PATH) and whichever of kingfisher,
gitleaks and ripsecrets is in PATH. Everything is read once before, so that no run pays for the disk.

Prints a table: median seconds, seconds for a GB, peak memory, how many of the planted places were found, and whether any
planted value stands in what was printed. Peers are run without trying credentials on the network and
with values hidden where they can hide them. Figures are of this machine and this moment.
"""

import argparse
import base64
import json
import os
import pathlib
import random
import shutil
import statistics
import string
import subprocess
import sys
import tempfile
import time
import zlib

B62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
CHANCE = random.Random(7)


def some(letters, count):
    return "".join(CHANCE.choice(letters) for _ in range(count))


def summed(start):
    body, rest = some(B62, 30), ""
    total = zlib.crc32(body.encode())
    for _ in range(6):
        rest, total = B62[total % 62] + rest, total // 62
    return start + body + rest


def part(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def planted():
    """Name of the file, its text, and the value that it holds; each is another one."""
    key = "\n".join(some(B62, 64) for _ in range(12))
    yield "src/client.py", 'TOKEN = "{}"', summed("gh" + "p_")
    yield "ci/release.sh", "export GH_TOKEN={}", summed("gh" + "o_")
    yield "app/publish.yml", "token: {}", summed("np" + "m_")
    yield "app/api.ts", 'const key = "{}";', "sk_li" + "ve_" + some(B62, 24)
    yield "app/bot.rb", "Slack.token = '{}'", "xox" + f"b-{some('123456789', 12)}-{some('123456789', 13)}-{some(B62, 24)}"
    yield "ci/gitlab.sh", "curl -H 'PRIVATE-TOKEN: {}'", "glp" + "at-" + some(B62, 20)
    yield "web/map.js", "var k='{}'", "AI" + "zaSy" + some(B62, 33)
    yield "web/session.txt", "Authorization: Bearer {}", f'{part(json.dumps({"alg": "HS256", "typ": "JWT"}))}.{part(json.dumps({"sub": "1234", "name": "Ann"}))}.{some(B62, 43)}'
    yield "keys/server.pem", "{}\n", "-----BEGIN RSA PRI" + f"VATE KEY-----\n{key}\n-----END RSA PRI" + "VATE KEY-----"
    yield "ops/vault.hcl", 'token = "{}"', "hv" + "s.CAES" + some(B62, 90)
    yield "py/upload.cfg", "password = {}", "py" + "pi-AgEIcHlwaS5vcmc" + some(B62, 140)
    yield "mail/send.go", 'key := "{}"', "S" + f"G.{some(B62, 22)}.{some(B62, 43)}"
    yield "db/settings.ini", "url = {}", f"postgres://app:{some(B62, 20)}@db.corp.internal:5432/x"
    yield "aws/keys.txt", "aws_access_key_id = AK" + "IA" + some("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16) + "\naws_secret_access_key = {}\n", some(B62, 38) + "/+"
    yield "infra/do.tf", 'token = "{}"', "do" + "p_v1_" + some("0123456789abcdef", 64)
    yield "shop/app.php", "$t = '{}';", "shp" + "at_" + some("0123456789abcdef", 32)


def plant(tree):
    """The planted files with their values; names that lead through folders of their own."""
    places = {}
    for n, (name, text, value) in enumerate(planted()):
        path = tree / f"planted-{n}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# a file among many\n" + text.replace("{}", value) + "\n", encoding="utf-8")
        places[str(path)] = value
    return places


def fill(source, tree, wanted):
    """Copies files until there are enough; a tree that is there already is left as it is."""
    if tree.exists():
        return
    size = 0
    for folder, folders, files in os.walk(source):
        folders.sort()
        for name in sorted(files):
            path = pathlib.Path(folder) / name
            if path.is_symlink() or not path.is_file():
                continue
            to = tree / path.relative_to(source)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)
            size += to.stat().st_size
            if size >= wanted:
                return


def measured(command, environment):
    """Seconds, peak MiB, and what was printed."""
    with tempfile.TemporaryFile() as out:
        started = time.monotonic()
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
        _, _, usage = os.wait4(child.pid, 0)
        took = time.monotonic() - started
        out.seek(0)
        return took, usage.ru_maxrss / 1024, out.read().decode("utf-8", "replace")


def main():
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("folder", type=pathlib.Path)
    asked.add_argument("tree", type=pathlib.Path)
    asked.add_argument("--gib", type=float, default=1.0)
    asked.add_argument("--runs", type=int, default=3)
    asked = asked.parse_args()
    fill(asked.folder, asked.tree, int(asked.gib * 1024**3))
    places = plant(asked.tree)
    tree = str(asked.tree.resolve())
    report = pathlib.Path(tempfile.mkdtemp()) / "report.json"
    tools = {
        "lastkey": ["read_to_end"],
        "kingfisher": ["kingfisher", "scan", tree, "--no-validate", "--redact", "--git-history", "none", "--format", "jsonl", "--no-update-check"],
        "gitleaks": ["gitleaks", "dir", tree, "--no-banner", "--redact", "--exit-code", "0", "-f", "json", "-r", str(report)],
        "ripsecrets": ["ripsecrets", tree],
    }
    missing = [name for name, command in tools.items() if not shutil.which(command[0])]
    tools = {name: command for name, command in tools.items() if name not in missing}
    if "lastkey" in missing:
        sys.exit("scan_peers.py: read_to_end is not in PATH; ./bench --only scan builds it")
    environment = dict(os.environ, SET_FOLDER=tree, SET_SYSTEM="bench", SET_SCAN="tree")
    size = count = 0
    for folder, _, files in os.walk(tree):
        for name in files:
            size += len((pathlib.Path(folder) / name).read_bytes())
            count += 1
    print(f"{count:,} files, {size / 1e9:.2f} GB, {len(places)} planted, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    runs = {name: [] for name in tools}
    for _ in range(asked.runs):
        for name, command in tools.items():
            report.unlink(missing_ok=True)
            took, peak, text = measured(command, environment)
            text += report.read_text(encoding="utf-8") if report.exists() else ""
            runs[name].append((took, peak, text))
    print("| scanner | seconds | s/GB | peak MiB | planted found | prints a value |\n|---|---|---|---|---|---|")
    for name, done in runs.items():
        took = statistics.median(run[0] for run in done)
        text = done[-1][2]
        found = [path for path in places if path in text or path.replace(tree + "/", "") in text]
        value = any(line in text for value in places.values() for line in (value.split("\n")[1:2] or [value]))
        print(f"| {name} | {took:.2f} | {took / (size / 1e9):.2f} | {max(run[1] for run in done):.0f} | {len(found)} of {len(places)} | {'yes' if value else 'no'} |")
        missed = sorted(set(places) - set(found))
        if missed:
            print(f"{name} missed: {', '.join(path.replace(tree + '/', '') for path in missed)}", file=sys.stderr)
    for name in missing:
        print(f"| {name} | NOT RUN: not in PATH | | | | |")


if __name__ == "__main__":
    main()
