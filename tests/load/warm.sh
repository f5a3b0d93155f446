#!/bin/sh
# Makes the accounts for the load once, so that a comparison's starts find them (seed.mjs keeps them).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
redis-server --port 0 --unixsocket "$work/r.sock" --dir "$work" --save '' --appendonly yes --daemonize no --loglevel warning >/dev/null &
redis=$!
trap 'kill $redis; wait $redis 2>/dev/null || :; rm -rf "$work"' EXIT
until [ -S "$work/r.sock" ]; do sleep 0.1; done
mkdir -p /tmp/firstline-load
node "$here/seed.mjs" "${FIRSTLINE_BIN:-$here/../../build/firstline}" "$work/r.sock" "$work" /tmp/firstline-load 100 everysec
