#!/usr/bin/env bash
# package.sh: the practice estate from nothing to an audit package, without a display and without
# a keychain; then the package is checked as its own page tells a stranger to check it.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
export XDG_DATA_HOME=$room/data XDG_CONFIG_HOME=$room/config LASTKEY_KEY_FILE=$room/key
(umask 077 && head -c 32 /dev/urandom | base64 >"$LASTKEY_KEY_FILE")
cd "$room"

# Status 1 means: done, and something failed its test; the estate's planted defects do.
at_most_1() {
  local status=0
  "$@" || status=$?
  [ "$status" -le 1 ]
}

say() { printf '\n== %s\n' "$1"; }

say 'demo, rehearse, export, verify'
lastkey demo
at_most_1 lastkey rehearse leaver --all --json >rehearsal.jsonl
lines=$(wc -l <rehearsal.jsonl)
printf '%s identities rehearsed\n' "$lines"
[ "$lines" -ge 2400 ]
lastkey export --out package.zip
lastkey store check
mkdir stranger
cp package.zip stranger/
cd stranger

say 'as HOW-TO-CHECK.md says'
unzip -p package.zip HOW-TO-CHECK.md >page.md
awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' page.md >commands.sh
rm page.md
grep -q sha256sum commands.sh
grep -q 'openssl pkeyutl -verify' commands.sh
bash -e -o pipefail commands.sh
signer=$(openssl pkey -pubin -in package/public-key.pem -outform DER | sha256sum | cut -c1-64)

say 'with the signer known, unknown and wrong'
lastkey verify package.zip --signer "$signer"
lastkey-verify package.zip --signer "$signer"
refused() {
  local status=0
  "$@" || status=$?
  [ "$status" = 1 ]
}
refused lastkey-verify package.zip
refused lastkey verify package.zip --signer "$(printf '0%.0s' $(seq 64))"

say 'a flipped byte is found by Lastkey and by sha256sum'
python3 - package.zip flipped.zip <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 1
open(sys.argv[2], "wb").write(data)
PY
refused lastkey verify flipped.zip --signer "$signer"
printf 'x' >>package/manifest.json
if (cd package && sha256sum --quiet --strict --check SHA256SUMS); then
  printf 'sha256sum accepted a changed file\n'
  exit 1
fi
