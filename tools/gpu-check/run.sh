#!/bin/sh
# Checks what this machine trains on, without a network: needs sh, cat, mkdir, chmod, dirname and tar.
#   ./run.sh [--json FILE] [--time-limit SECONDS]
set -eu
pack=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$pack/work"
cat "$pack"/node.part-* >"$pack/work/node"
chmod +x "$pack/work/node"
if ! "$pack/work/node" --version >/dev/null; then
  echo "run.sh: the packed Node does not start; \"sha256sum -c SHA256SUMS\" says whether it is damaged." >&2
  exit 1
fi
exec "$pack/work/node" "$pack/tools/gpu-check/run.mjs" "$@"
