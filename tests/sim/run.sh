#!/usr/bin/env bash
# ./dev sim [SEEDS]: simulates days of a contact centre through the real routing. With all 30 seeds it writes its tables into
# docs/routing.md and the plot to docs/routing.svg; ends with an error where a target is missed.
# ./dev sim commits [STEPS [SEED]]: the random simulation of commits, nodes, views and clients (tests/sim/commits/commits.h).
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
dir=${SIM_BUILD:-build-sim} seeds=${1:-30} target=sim
[ "$seeds" = commits ] && target=commits
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT

{ [ -f "$dir/build.ninja" ] || cmake -S . -B "$dir" -G Ninja -DFIRSTLINE_WEB=OFF; cmake --build "$dir" --target $target; } >"$log/build" 2>&1 || {
  tail -30 "$log/build" >&2
  echo "sim: the build failed (above)" >&2
  exit 2
}
if [ $target = commits ]; then
  shift
  FIRSTLINE_SOURCE=$PWD exec "$dir/tests/commits" "${@:-5000000}"
fi
rc=0
if [ "$seeds" = 30 ]; then
  "$dir/tests/simulate" 30 "$log/tables.md" "$log/plot.svg" || rc=$?
  # Between the two marks stands what was measured last; the words around it are written by people.
  awk -v tables="$log/tables.md" '
    /^<!-- begin measured/ { print; while ((getline line <tables) > 0) print line; skip = 1 }
    /^<!-- end measured/ { skip = 0 }
    !skip { print }' docs/routing.md >"$log/routing.md"
  cp "$log/routing.md" docs/routing.md
  cp "$log/plot.svg" docs/routing.svg
else
  "$dir/tests/simulate" "$seeds" || rc=$?
fi
exit $rc
