#!/usr/bin/env bash
# ./dev model [ENTRIES [REPS [FLIPS]]]: looks at every run of the model (chat.pml) up to a log of so many entries (5), with so many
# reps (3) and comings and goings (2), and at each broken variant, which must be found. What the model can do must all have happened.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
entries=${1:-5} reps=${2:-3} flips=${3:-2} bad=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# explore NAME FLAG…: the verifier's words on this variant stand in $work/NAME.out; one that doesn't come to an end is no answer.
explore() {
  local name=$1
  shift
  cp chat.pml "$work/chat.pml"
  if ! (cd "$work" && spin "-DENTRIES=$entries" "-DREPS=$reps" "-DFLIPS=$flips" "$@" -a chat.pml >"$name.spin" 2>&1) || grep -qi error "$work/$name.spin"; then
    cat "$work/$name.spin" >&2
    exit 2
  fi
  gcc -O2 -w -DSAFETY -DCOLLAPSE -DVECTORSZ=2048 -DMEMLIM=2000 -o "$work/pan" "$work/pan.c"
  (cd "$work" && ./pan -m100000 >"$name.out" 2>&1) || :
  if ! grep -q 'errors: [0-9]' "$work/$name.out" || grep -qE 'max search depth too small|out of memory' "$work/$name.out"; then
    tail -20 "$work/$name.out" >&2
    echo "model: $name was not explored to its end" >&2
    exit 2
  fi
}

explore whole
if ! grep -q 'errors: 0' "$work/whole.out"; then
  grep -E '^pan:|errors:' "$work/whole.out"
  echo "not ok  chat.pml"
  bad=1
elif grep -E '^[[:space:]]+chat.pml:[0-9]+, state' "$work/whole.out" | grep -v -- '"-end-"'; then
  echo "not ok  chat.pml: the steps above never happened"
  bad=1
else
  states=$(awk '/states, stored/ { print $1; exit }' "$work/whole.out")
  echo "ok      chat.pml: every run of up to $entries entries, $reps reps, 2 nodes, $flips comings and goings: $states states, no property broken"
fi
for broken in FENCE HEAD GRACE ID; do
  explore "$broken" "-DBREAK_$broken"
  if grep -qE '^pan:[0-9]+: assertion violated' "$work/$broken.out"; then
    echo "ok      without the $broken comparison: found ($(grep -oEm1 'assertion violated.*' "$work/$broken.out"))"
  else
    echo "not ok  without the $broken comparison: nothing found"
    bad=1
  fi
done
exit $bad
