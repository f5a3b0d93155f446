#!/bin/sh
# Starts a server for the load generator: N departments p0 … with one rep each, whose tokens it writes to a file, one a line.
#
#   serve.sh REDIS-SOCKET PORT FSYNC [PAIRS]
#
# REDIS-SOCKET is of a redis-server that was started with that appendfsync (everysec or always). Becomes the server by exec, so that
# its process id is the one that was started. Tokens: /tmp/firstline-load/tokens, each line "Bearer …".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bin=${FIRSTLINE_BIN:-$here/../../build/firstline}
sock=$1 port=$2 fsync=$3 pairs=${4:-100}
work=/tmp/firstline-load
mkdir -p "$work"
rm -rf "$work"/data.*
data=$work/data.$$
mkdir -m 700 "$data"
node "$here/seed.mjs" "$bin" "$sock" "$data" "$work" "$pairs" "$fsync"
exec "$bin" serve --listen "127.0.0.1:$port" --data "$data" --redis "unix://$sock" --config "$work/load.ini" \
  --set limits.messages_per_s=0 --set limits.chats_per_address_h=0 --set limits.hellos_per_s=1000000 \
  --set redis.appendfsync="$fsync" --set routing.auto_accept=true --set server.log_level=warn
