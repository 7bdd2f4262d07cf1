#!/usr/bin/env bash
# Everything that a machine needs before Lastkey can be built, shown or tested.
#
# Sourced by run, test and bench. Each function looks first and acts only on what is missing,
# so that the second time costs a moment. Nothing here writes outside the apt system, the
# checkout's ui/node_modules and ui/dist, and ~/.cache/lastkey.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${LASTKEY_CACHE:-$HOME/.cache/lastkey}
tools=$cache/tools
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${LASTKEY_TARGET:-$cache/target-main}}
export CARGO_TERM_COLOR=never CARGO_BUILD_JOBS=${CARGO_BUILD_JOBS:-2}
case ":$PATH:" in
  *":$tools/bin:"*) ;;
  *) PATH=$tools/bin:$PATH ;;
esac
if ! command -v cargo >/dev/null && [ -x "$HOME/.cargo/bin/cargo" ]; then PATH=$HOME/.cargo/bin:$PATH; fi
export PATH

# shellcheck disable=SC2034 # read by the scripts that source this one
build_packages="libwebkit2gtk-4.1-dev libdbus-1-dev librsvg2-dev pkg-config build-essential perl"
# shellcheck disable=SC2034
screen_packages="xvfb xauth dbus gnome-keyring libsecret-tools imagemagick fonts-dejavu-core fonts-wqy-microhei fonts-noto-color-emoji"
# shellcheck disable=SC2034
lab_packages="webkit2gtk-driver slapd ldap-utils samba samba-ad-provision samba-dsdb-modules samba-vfs-modules openssh-server postgresql 389-ds-base libnss3-tools openssl sqlite3 unzip shellcheck strace"

# shellcheck disable=SC2034
tauri_driver_version=2.1.0
# shellcheck disable=SC2034
cargo_deny_version=0.20.2
openbao_version=2.4.0
kubernetes_version=1.37.2

# One sentence on stderr, a hint below it, and the end.
stop_here() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  if [ -n "${2:-}" ]; then printf '  %s\n' "$2" >&2; fi
  exit 3
}

doing() { printf '%s\n' "$*" >&2; }

# Runs a command with its output in a file; on failure shows the end of the file and stops.
quietly() {
  local what=$1 log=$cache/logs/${2}.log
  shift 2
  mkdir -p "$cache/logs"
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 25 "$log" >&2
    stop_here "could not $what" "the whole output is in $log"
  fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

# The packages of the list that are not installed.
missing_packages() {
  local name
  for name in "$@"; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true)" != installed ]; then
      printf '%s ' "$name"
    fi
  done
}

# Debian starts every daemon that it installs, unless policy-rc.d says no (exit 101). What stood
# there before is put back, also after a run that was cut off half-way.
release_daemons() {
  local policy=/usr/sbin/policy-rc.d
  if as_root test -e "$policy.before-lastkey"; then
    as_root mv -f "$policy.before-lastkey" "$policy"
  elif as_root grep -qs 'held while lastkey installs' "$policy"; then
    as_root rm -f "$policy"
  fi
}

hold_daemons() {
  local policy=/usr/sbin/policy-rc.d
  release_daemons
  if as_root test -e "$policy"; then as_root cp -p "$policy" "$policy.before-lastkey"; fi
  printf '#!/bin/sh\n# held while lastkey installs\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}

# Installs what is missing of the Debian packages given.
ground_packages() {
  local missing
  if ! command -v dpkg-query >/dev/null; then
    doing "This machine has no dpkg; the counterparts of these Debian packages are taken to be there: $*"
    return
  fi
  missing=$(missing_packages "$@")
  if [ -z "$missing" ]; then return; fi
  if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
    stop_here "these packages are missing and installing them needs root: $missing" \
      "run: sudo apt-get install --no-install-recommends $missing"
  fi
  doing "Installing: $missing"
  quietly "refresh the package lists" apt-update as_root apt-get update -q
  hold_daemons
  trap release_daemons EXIT
  # shellcheck disable=SC2086 # a list of package names
  quietly "install $missing" apt-install as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends $missing
  release_daemons
  trap - EXIT
}

ground_rust() {
  if ! command -v cargo >/dev/null; then
    stop_here "Rust is missing" "install it with rustup (https://rustup.rs), then run this again"
  fi
  ground_target
}

# Cargo tells two checkouts that share a target folder apart by the times of their files only, so
# the one would be given what was compiled from the other. When another checkout built here last,
# our files are made the younger ones.
ground_target() {
  local stamp=$CARGO_TARGET_DIR/.checkout
  if [ "$(cat "$stamp" 2>/dev/null || true)" = "$top" ]; then return; fi
  mkdir -p "$CARGO_TARGET_DIR"
  if [ -d "$CARGO_TARGET_DIR/debug/deps" ] || [ -d "$CARGO_TARGET_DIR/release/deps" ]; then
    find "$top/crates" "$top/connectors" "$top/src-tauri" "$top/tests" -name '*.rs' -exec touch {} +
  fi
  printf '%s\n' "$top" >"$stamp"
}

# Components of the Rust toolchain: rustfmt, clippy.
ground_rust_components() {
  local component program
  for component in "$@"; do
    program=${component#rust}
    if cargo "$program" --version >/dev/null 2>&1; then continue; fi
    if ! command -v rustup >/dev/null; then
      stop_here "$component is missing" "install the Rust component of that name"
    fi
    quietly "add the Rust component $component" rustup rustup component add "$component"
  done
}

# A cargo program of one exact version, in the cache, never in ~/.cargo/bin.
ground_tool() {
  local name=$1 version=$2
  if grep -qs "\"$name $version " "$tools/.crates.toml" && [ -x "$tools/bin/$name" ]; then return; fi
  doing "Building $name $version (once)"
  CARGO_TARGET_DIR=$cache/target-tools quietly "build $name $version" "build-$name" \
    cargo install -q --locked --root "$tools" --version "$version" "$name"
  rm -rf "$cache/target-tools"
}

# The real OpenBao for the labs, built from the Go module proxy into the cache; a few minutes once.
# Without a Go toolchain that can fetch the one that OpenBao asks for, its cases say NOT RUN.
ground_openbao() {
  local source=$top/tests/labs/openbao program=$tools/bin/openbao stamp=$tools/openbao.built now
  now=$( (printf '%s\n' "$openbao_version"; cat "$source/go.mod" "$source/go.sum" "$source/main.go") | sha256sum)
  if [ -x "$program" ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$now" ]; then return; fi
  if [ -x /usr/local/go/bin/go ] && ! command -v go >/dev/null; then PATH=$PATH:/usr/local/go/bin; fi
  if ! go version 2>/dev/null | grep -Eq 'go1\.(2[1-9]|[3-9][0-9])'; then
    doing 'There is no Go 1.21 or later here: the cases that need OpenBao will say NOT RUN'
    return
  fi
  doing "Building OpenBao $openbao_version (once)"
  mkdir -p "$tools/bin"
  quietly "build OpenBao $openbao_version" build-openbao env CGO_ENABLED=0 GOTOOLCHAIN=auto GOFLAGS=-mod=readonly \
    go -C "$source" build -trimpath \
    -ldflags "-s -w -X github.com/openbao/openbao/version.fullVersion=$openbao_version" -o "$program" .
  printf '%s\n' "$now" >"$stamp"
}

# The real Kubernetes API server with its etcd, built from the Go module proxy into the cache; six
# minutes once. Without a Go toolchain that can fetch the one that it asks for, its cases say NOT RUN.
ground_kubernetes() {
  local source=$top/tests/labs/kubernetes program=$tools/bin/kubernetes-lab stamp=$tools/kubernetes.built now
  local of=k8s.io/component-base/version
  now=$( (printf '%s\n' "$kubernetes_version"; cat "$source/go.mod" "$source/go.sum" "$source"/*.go) | sha256sum)
  if [ -x "$program" ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$now" ]; then return; fi
  if [ -x /usr/local/go/bin/go ] && ! command -v go >/dev/null; then PATH=$PATH:/usr/local/go/bin; fi
  if ! go version 2>/dev/null | grep -Eq 'go1\.(2[1-9]|[3-9][0-9])'; then
    doing 'There is no Go 1.21 or later here: the cases that need Kubernetes will say NOT RUN'
    return
  fi
  doing "Building Kubernetes $kubernetes_version (once, some minutes)"
  mkdir -p "$tools/bin"
  # What the server says of its version, which it has no default for.
  quietly "build Kubernetes $kubernetes_version" build-kubernetes env CGO_ENABLED=0 GOTOOLCHAIN=auto GOFLAGS=-mod=readonly \
    go -C "$source" build -trimpath -buildvcs=false \
    -ldflags "-s -w -X $of.gitVersion=v$kubernetes_version -X $of.gitMajor=1 -X $of.gitMinor=$(printf '%s' "$kubernetes_version" | cut -d . -f 2)" \
    -o "$program" .
  printf '%s\n' "$now" >"$stamp"
}

# Prism and GitHub's own OpenAPI document, from npm into the cache; of the document the part that is
# kept is what reads. Where npm reaches nothing, its cases say NOT RUN.
ground_prism() {
  local source=$top/tests/labs/prism home=$tools/prism now
  now=$(cat "$source/package-lock.json" "$source/reading.mjs" | sha256sum)
  if [ -f "$home/reading.json" ] && [ "$(cat "$home/.made" 2>/dev/null || true)" = "$now" ]; then return; fi
  if ! command -v npm >/dev/null || ! npm ping >/dev/null 2>&1; then
    doing 'npm reaches nothing from here: the cases that need Prism will say NOT RUN'
    return
  fi
  doing "Fetching Prism and GitHub's OpenAPI document (once)"
  rm -rf "$home"
  mkdir -p "$home"
  cp "$source/package.json" "$source/package-lock.json" "$home/"
  quietly "fetch Prism" npm-prism npm --prefix "$home" ci --no-fund --no-audit --ignore-scripts --loglevel=error
  quietly "take the reading part of GitHub's document" prism-reading \
    node "$source/reading.mjs" "$home/node_modules/@octokit/openapi/generated/ghec.json" "$home/reading.json"
  rm -rf "$home/node_modules/@octokit"
  printf '%s\n' "$now" >"$home/.made"
}

# moto answers as AWS does, from PyPI into the cache: pinned, with all that it stands on. Where PyPI
# cannot be reached, its cases say NOT RUN.
ground_moto() {
  local list=$top/tests/labs/moto/requirements.txt home=$tools/moto now
  now=$(sha256sum <"$list")
  if [ -x "$home/bin/moto_server" ] && [ "$(cat "$home/.made" 2>/dev/null || true)" = "$now" ]; then return; fi
  rm -rf "$home"
  if ! python3 -m venv "$home" >/dev/null 2>&1 || ! "$home/bin/pip" download --quiet --no-deps --dest "$home" moto==5.2.5 >/dev/null 2>&1; then
    doing 'PyPI cannot be reached from here: the cases that need moto will say NOT RUN'
    return
  fi
  doing "Fetching moto (once)"
  quietly "fetch moto" pip-moto "$home/bin/pip" install --quiet --no-deps -r "$list"
  printf '%s\n' "$now" >"$home/.made"
}

# The independent evaluator of AWS policies that ours is held against, from npm into the cache. It
# is a program of its own, asked in tests only; nothing of Lastkey contains it. Where npm reaches
# nothing, its case says NOT RUN.
ground_iam_judge() {
  local source=$top/tests/labs/iam-judge home=$tools/iam-judge now
  now=$(cat "$source/package-lock.json" "$source/judge.mjs" | sha256sum)
  if [ -f "$home/judge.mjs" ] && [ "$(cat "$home/.made" 2>/dev/null || true)" = "$now" ]; then return; fi
  if ! command -v npm >/dev/null || ! npm ping >/dev/null 2>&1; then
    doing 'npm reaches nothing from here: the case that needs the judge of AWS policies will say NOT RUN'
    return
  fi
  doing 'Fetching the judge of AWS policies (once)'
  rm -rf "$home"
  mkdir -p "$home"
  cp "$source/package.json" "$source/package-lock.json" "$home/"
  quietly "fetch the judge of AWS policies" npm-iam-judge \
    npm --prefix "$home" ci --no-fund --no-audit --ignore-scripts --loglevel=error
  cp "$source/judge.mjs" "$home/"
  printf '%s\n' "$now" >"$home/.made"
}

# The hash of the files given on stdin, names included.
hash_of_list() {
  while IFS= read -r file; do
    if [ -f "$file" ]; then sha256sum "$file"; fi
  done | sha256sum | cut -d ' ' -f 1
}

ground_node_modules() {
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    stop_here "Node is missing" "install Node 20.19 or later with npm, then run this again"
  fi
  if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
    stop_here "Node $(node --version) is too old" "install Node 20.19 or later, then run this again"
  fi
  local stamp=$top/ui/node_modules/.lastkey-installed now
  now=$( (node --version; sha256sum <"$top/ui/package-lock.json") | sha256sum)
  if [ "$(cat "$stamp" 2>/dev/null || true)" = "$now" ]; then return; fi
  doing "Installing the window's Node modules"
  quietly "install the Node modules" npm-ci npm --prefix "$top/ui" ci --no-fund --no-audit --loglevel=error
  printf '%s\n' "$now" >"$stamp"
}

# ui/dist, which every build of the window embeds; built again only when a file of ui/ changed.
ground_ui() {
  ground_node_modules
  local stamp=$top/ui/node_modules/.lastkey-built now
  now=$(cd "$top" && find ui \( -path ui/node_modules -o -path ui/dist \) -prune -o -type f -print |
    LC_ALL=C sort | hash_of_list)
  if [ -f "$top/ui/dist/index.html" ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$now" ]; then return; fi
  doing "Building the window's pages"
  quietly "build the window's pages" ui-build npm --prefix "$top/ui" run --silent build
  touch "$top/ui/dist/.gitkeep"
  printf '%s\n' "$now" >"$stamp"
}
