#!/usr/bin/env bash
# keyring.sh: keeps a keyring on the session bus that is there and unlocked, until it is killed.
# keyring.sh --ready: waits until that is so; 3 with a sentence where it does not come to be.
#
# The service can crash in the middle of a run. Its name is then taken by nobody else (the private
# bus starts nothing by itself), and it is started and unlocked again here within a moment.
set -uo pipefail

password=private
# A service that never stays is no keyring: somebody has to look.
most=20

if [ "${1-}" = --ready ]; then
  answer=
  while [ "$SECONDS" -lt 15 ]; do
    answer=$(dbus-send --session --print-reply=literal --reply-timeout=2000 --dest=org.freedesktop.secrets \
      /org/freedesktop/secrets/aliases/default org.freedesktop.DBus.Properties.Get \
      string:org.freedesktop.Secret.Collection string:Locked 2>&1) && [[ $answer == *false* ]] && exit 0
    sleep 0.1
  done
  printf 'the private keyring is not there or locked: %s\n' "$answer" >&2
  exit 3
fi

service=
# shellcheck disable=SC2317 # reached through the trap
leave() {
  if [ -n "$service" ]; then kill "$service" 2>/dev/null; fi
  exit 0
}
trap leave TERM INT HUP

for _ in $(seq "$most"); do
  gnome-keyring-daemon --foreground --unlock --components=secrets < <(printf '%s\n' "$password") >/dev/null &
  service=$!
  wait "$service"
  printf 'keyring.sh: the private keyring ended with status %s; it is started again\n' "$?" >&2
  sleep 0.1
done
printf 'keyring.sh: the private keyring ended %s times; it stays away\n' "$most" >&2
exit 3
