#!/bin/sh
# Makes Node.js able to run the project: the one step that can't be written in TypeScript. Run by the Makefile.
set -eu
cd "$(dirname "$0")/.."

if ! command -v node >/dev/null 2>&1; then
  echo "error: Node.js is not installed; install Node.js 20.19 or newer with npm, then run the command again." >&2
  exit 1
fi
if ! node -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>20||(a===20&&b>=19)?0:1)'; then
  echo "error: Node.js $(node --version) is too old; install Node.js 20.19 or newer, then run the command again." >&2
  exit 1
fi

# npm writes this file last, so an interrupted `npm ci` is run again.
installed=node_modules/.package-lock.json
[ "$installed" -nt package-lock.json ] && exit 0
# `npm ci` empties a linked folder, which is another checkout's.
[ ! -L node_modules ] || exit 0

started=$(date +%s)
echo "[ 0:00] npm packages …"
log=$(mktemp)
npm ci --no-audit --no-fund --loglevel=error >"$log" 2>&1 &
npm=$!
trap 'kill "$npm" 2>/dev/null || true; rm -f "$log"' EXIT
trap 'exit 130' INT TERM
while kill -0 "$npm" 2>/dev/null; do
  sleep 1
  seconds=$(($(date +%s) - started))
  [ $((seconds % 10)) -ne 9 ] || echo "[ 0:$(printf %02d "$seconds")] npm packages … $seconds s"
done
if ! wait "$npm"; then
  tail -n 25 "$log" >&2
  echo "error: \`npm ci\` failed; its last lines are above." >&2
  exit 1
fi
touch "$installed"
echo "npm packages: done in $(($(date +%s) - started)) s"
