#!/usr/bin/env bash
# practice.sh window|tour FOLDER: the practice estate in FOLDER, made if it is not there yet.
#
# window opens the window on it. tour goes through everything once without a person: sync,
# rehearse, export, verify, a picture of the window. Expects lastkey and lastkey-window on PATH.
# Each step that fails ends the tour with one sentence and a status that is not 0.
set -euo pipefail

mode=$1
folder=$2
mkdir -p "$folder"
chmod 700 "$folder"
folder=$(cd "$folder" && pwd)
store=$folder/practice.lastkey
export LASTKEY_KEY_FILE=$folder/practice.key

stop_here() {
  printf 'practice: %s\n' "$1" >&2
  if [ -n "${2:-}" ] && [ -s "$2" ]; then tail -n 15 "$2" >&2; fi
  exit 3
}

# Runs a step with stdout in a file and stderr beside it. Status 1 means: done, and something
# failed its test; the practice estate is full of planted defects, so that is expected of some.
step() {
  local sentence=$1 out=$2 worst=$3 status=0
  shift 3
  "$@" >"$out" 2>"$out.err" </dev/null || status=$?
  if [ "$status" -gt "$worst" ]; then stop_here "$sentence (status $status)" "$out.err"; fi
  rm -f "$out.err"
}

if [ ! -e "$LASTKEY_KEY_FILE" ]; then
  (umask 077 && head -c 32 /dev/urandom | base64 >"$LASTKEY_KEY_FILE")
fi
if [ ! -e "$folder/made" ]; then
  rm -rf "$folder"/practice.lastkey* "$folder/estate"
  step "the practice estate could not be made" "$folder/demo.txt" 0 \
    lastkey --store "$store" demo --dir "$folder/estate"
  touch "$folder/made"
fi

programs=$(dirname "$(command -v lastkey)")
if [ "$mode" = window ]; then
  printf 'programs           %s\n' "$programs"
  exec lastkey-window --store "$store"
fi

out=$folder/tour
rm -rf "$out"
mkdir -p "$out"
step "the sources could not be synced" "$out/sync.txt" 1 lastkey --store "$store" sync
step "the rehearsal did not run" "$out/rehearsal.jsonl" 1 \
  lastkey --store "$store" rehearse leaver --all --json
if [ ! -s "$out/rehearsal.jsonl" ]; then stop_here "the rehearsal gave no lines"; fi
step "the audit package could not be exported" "$out/export.txt" 1 \
  lastkey --store "$store" export --out "$out/package.zip"
signer=$(awk '$1 == "signer" { print $2 }' "$out/export.txt")
if [ -z "$signer" ]; then stop_here "the export did not name its signer" "$out/export.txt"; fi
step "the audit package did not verify" "$out/verify.txt" 0 \
  lastkey verify "$out/package.zip" --signer "$signer"

# The window: wait until the screen is more than a plain ground and has not changed for six seconds;
# the first screen rehearses everyone before its answer stands there.
lastkey-window --store "$store" >"$out/window.txt" 2>&1 &
window=$!
# shellcheck disable=SC2317 # reached through the trap
close_window() { kill "$window" 2>/dev/null || true; }
trap close_window EXIT
before=none
still=0
drawn=no
for _ in $(seq 60); do
  sleep 0.5
  if ! kill -0 "$window" 2>/dev/null; then stop_here "the window closed by itself" "$out/window.txt"; fi
  import -window root "$out/next.png" 2>/dev/null || continue
  colours=$(identify -format %k "$out/next.png")
  now=$(identify -format '%#' "$out/next.png")
  if [ "$colours" -gt 32 ] && [ "$now" = "$before" ]; then
    still=$((still + 1))
  else
    still=0
  fi
  if [ "$still" -ge 12 ]; then
    drawn=yes
    break
  fi
  before=$now
done
if [ "$drawn" = no ]; then stop_here "the window did not draw within 30 seconds" "$out/window.txt"; fi
mv "$out/next.png" "$out/window.png"
rm -f "$out/window.txt"

printf 'programs           %s\n' "$programs"
printf 'practice estate    %s\n' "$store"
printf 'sync               %s\n' "$out/sync.txt"
printf 'rehearsal          %s (%s identities)\n' "$out/rehearsal.jsonl" "$(wc -l <"$out/rehearsal.jsonl")"
printf 'audit package      %s\n' "$out/package.zip"
printf 'verified           %s\n' "$out/verify.txt"
printf 'window             %s\n' "$out/window.png"
