# ./dev fuzz [SECONDS [TARGET …]]: each target of this folder for so many seconds (60). See README.md.
set -eu
cd "$(dirname "$0")/../.."
here=tests/fuzz
seconds=${1:-60}
[ $# -gt 0 ] && shift
case $seconds in *[!0-9]* | "") echo "fuzz: not a number of seconds: $seconds" >&2; exit 2 ;; esac
[ $# -gt 0 ] || set -- $(cd $here && ls fuzz_*.c | sed 's/^fuzz_//; s/\.c$//')
for target; do [ -f "$here/fuzz_$target.c" ] || { echo "fuzz: there is no $here/fuzz_$target.c" >&2; exit 2; }; done

cmake -S . -B build-fuzz -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_C_FLAGS_DEBUG=-g -O1" \
  -DFIRSTLINE_SANITIZE=fuzzer-no-link,address,undefined -DFIRSTLINE_WEB=OFF >/dev/null
cmake --build build-fuzz --target fuzz
node $here/seeds.mjs build-fuzz/seeds
mkdir -p build-fuzz/found

passed=0 failed=0
for target; do
  corpus=build-fuzz/corpus/$target
  mkdir -p "$corpus"
  log=build-fuzz/found/$target.log
  if build-fuzz/tests/fuzz_$target -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 \
    -artifact_prefix="build-fuzz/found/$target-" "$corpus" "build-fuzz/seeds/$target" >"$log" 2>&1; then
    passed=$((passed + 1))
    echo "ok      $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, $(find "$corpus" -type f | wc -l) kept"
  else
    failed=$((failed + 1))
    echo "FAILED  $target: $log" >&2
    grep -m1 -E "does not hold|ERROR: |runtime error" "$log" >&2 || tail -3 "$log" >&2
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
