#!/usr/bin/env bash
# desktop.sh COMMAND…: runs a command on a private desktop and gives back its exit status.
#
# The desktop is a virtual screen (Xvfb) of the size in which the window opens, a message bus of
# its own, an unlocked keyring of its own and an empty data folder; all of it is gone afterwards.
# Nothing of the person's own desktop, keyring or store is reachable from inside.
set -euo pipefail

room=$(mktemp -d)
screen=
# shellcheck disable=SC2317 # reached through the trap
leave() {
  if [ -n "$screen" ]; then kill "$screen" 2>/dev/null || true; fi
  rm -rf "$room"
}
trap leave EXIT

mkdir -m 700 "$room/runtime" "$room/data" "$room/config"
Xvfb -displayfd 3 -screen 0 "${LASTKEY_SCREEN:-1280x800x24}" -nolisten tcp 3>"$room/display" >"$room/xvfb.log" 2>&1 &
screen=$!
for _ in $(seq 100); do
  if [ -s "$room/display" ]; then break; fi
  if ! kill -0 "$screen" 2>/dev/null; then break; fi
  sleep 0.1
done
if [ ! -s "$room/display" ]; then
  printf 'desktop.sh: the virtual screen did not start\n' >&2
  tail -n 5 "$room/xvfb.log" >&2
  exit 3
fi

DISPLAY=:$(head -n 1 "$room/display")
export DISPLAY XDG_RUNTIME_DIR=$room/runtime XDG_DATA_HOME=$room/data XDG_CONFIG_HOME=$room/config
# no accessibility bus and no settings daemon here: do not wait for them
export NO_AT_BRIDGE=1 GSETTINGS_BACKEND=memory LIBGL_ALWAYS_SOFTWARE=1
unset WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS

# A bus on which nothing starts by itself: a keyring that crashed would come back locked, and
# whoever asks it would wait for a prompt that nobody sees.
cat >"$room/bus.conf" <<'CONF'
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
CONF

LASTKEY_KEYRING=$(dirname "$(readlink -f "$0")")/keyring.sh
export LASTKEY_KEYRING
status=0
# What the bus and the services on it have to say goes into a file; the command keeps the
# caller's stdout (5) and stderr (4), and so does what is said of a keyring that was lost.
# shellcheck disable=SC2016 # "$@" is for the inner shell
dbus-run-session --config-file="$room/bus.conf" -- bash -c '
  "$LASTKEY_KEYRING" 2>&4 4>&- 5>&- &
  keyring=$!
  trap "kill $keyring 2>/dev/null" EXIT
  "$LASTKEY_KEYRING" --ready 2>&4 || exit 3
  "$@" >&5 2>&4 4>&- 5>&-' desktop "$@" 4>&2 5>&1 >"$room/bus.log" 2>&1 || status=$?
exit "$status"
