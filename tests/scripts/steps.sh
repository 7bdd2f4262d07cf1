#!/usr/bin/env bash
# Runs the steps of ./test and keeps the totals, so that the last line adds up.
#
# A step is one case, unless its output says how many cases it ran. A case that could not run
# because the machine lacks a server writes one line, `server<TAB>case<TAB>why`, to the file named
# by LASTKEY_NOT_RUN; it then counts as skipped, and never as passed.

passed=0 failed=0 skipped=0
logs=${CARGO_TARGET_DIR:?}/test-logs
rm -rf "$logs"
mkdir -p "$logs"
export LASTKEY_NOT_RUN=$logs/not-run.tsv
: >"$LASTKEY_NOT_RUN"

report() { printf '%-7s %s\n' "$1" "$2"; }

# Runs one step into its log. Sets status, log and seconds.
run_step() {
  local name=$1 start=$SECONDS
  shift
  log=$logs/${name//[^a-zA-Z0-9.-]/-}.log
  status=0
  "$@" >"$log" 2>&1 </dev/null || status=$?
  seconds=$((SECONDS - start))
}

show_failure() {
  report FAILED "$1 (status $status, $seconds s): $log"
  grep -E "^(---- .* ----|test .* FAILED|error(\[|:)|failures:)" "$log" | head -n 20 | sed 's/^/        /' || true
  tail -n 30 "$log" | sed 's/^/        /'
}

# A step that is one case.
step() {
  local name=$1
  run_step "$@"
  if [ "$status" = 0 ]; then
    passed=$((passed + 1))
    report ok "$name ($seconds s)"
  else
    failed=$((failed + 1))
    show_failure "$name"
  fi
}

# The sums of `test result:` lines: passed, failed, ignored.
count_cargo() {
  awk '/^test result:/ {
         for (i = 1; i <= NF; i++) {
           if ($i ~ /^passed/) p += $(i - 1)
           if ($i ~ /^failed/) f += $(i - 1)
           if ($i ~ /^ignored/) g += $(i - 1)
         }
       }
       END { print p + 0, f + 0, g + 0 }' "$1"
}

# A step whose output counts itself as cargo test does.
cargo_step() {
  local name=$1 good bad ignored before after
  before=$(wc -l <"$LASTKEY_NOT_RUN")
  run_step "$@"
  after=$(wc -l <"$LASTKEY_NOT_RUN")
  read -r good bad ignored < <(count_cargo "$log")
  # a case that could not run returned early, and cargo took it for a pass
  good=$((good - after + before))
  skipped=$((skipped + after - before))
  settle "$name" "$good" "$bad" "$ignored"
}

# A step that writes vitest's JSON report to the file named by VITEST_REPORT.
vitest_step() {
  local name=$1 good=0 bad=0 ignored=0
  export VITEST_REPORT=$logs/vitest.json
  run_step "$@"
  if [ -s "$VITEST_REPORT" ]; then
    read -r good bad ignored < <(node -e '
      const r = JSON.parse(require("fs").readFileSync(process.env.VITEST_REPORT, "utf8"));
      console.log(r.numPassedTests, r.numFailedTests, r.numPendingTests + r.numTodoTests);')
  fi
  settle "$name" "$good" "$bad" "$ignored"
}

# Adds the counts of a step. A step that failed without a failed case, that ran nothing, or that
# ignored a case is itself a failure: silence is not a pass.
settle() {
  local name=$1 good=$2 bad=$3 ignored=$4
  if [ "$status" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  if [ "$status" = 0 ] && [ $((good + bad)) = 0 ]; then
    bad=1
    printf 'the step ran no case\n' >>"$log"
  fi
  if [ "$ignored" != 0 ]; then
    bad=$((bad + ignored))
    printf '%s ignored; a case that cannot run here is NOT RUN, with its reason\n' "$ignored" >>"$log"
  fi
  passed=$((passed + good))
  failed=$((failed + bad))
  if [ "$bad" = 0 ]; then
    report ok "$name: $good passed ($seconds s)"
  else
    show_failure "$name: $good passed, $bad failed"
  fi
}

# One case that cannot run here.
not_run() {
  printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$LASTKEY_NOT_RUN"
  skipped=$((skipped + 1))
}

# Names what did not run, judges it by tests/labs/may-not-run.toml, and prints the last line.
finish() {
  local server case why
  while IFS=$'\t' read -r server case why; do
    report 'NOT RUN' "$server: $case: $why"
  done <"$LASTKEY_NOT_RUN"
  if [ -s "$LASTKEY_NOT_RUN" ]; then
    step 'NOT RUN only what may' python3 tests/scripts/may_not_run.py tests/labs/may-not-run.toml "$LASTKEY_NOT_RUN"
  fi
  printf '%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
  [ "$failed" = 0 ]
}
