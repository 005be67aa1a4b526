#!/bin/sh
# Runs the metrics exporter. It reads its arguments, queries and files of its login once: where one of them changes, it is started again.
set -eu

folder=/queries
exporter=""
state() {
  cksum "$folder/arguments" "$folder/queries.yaml" \
    "${DATA_SOURCE_USER_FILE:-/dev/null}" "${DATA_SOURCE_PASS_FILE:-/dev/null}" 2>/dev/null || true
}
stop() {
  if [ -n "$exporter" ]; then kill "$exporter" 2>/dev/null || true; fi
}
trap 'stop; exit 0' TERM INT

while :; do
  loaded=$(state)
  set --
  while IFS= read -r argument; do set -- "$@" "$argument"; done <"$folder/arguments"
  /bin/postgres_exporter "$@" &
  exporter=$!
  while kill -0 "$exporter" 2>/dev/null && [ "$(state)" = "$loaded" ]; do
    sleep 5 &
    wait $! || true
  done
  # One that ended by itself ends the container, with its status.
  if ! kill -0 "$exporter" 2>/dev/null; then wait "$exporter"; exit; fi
  stop
  wait "$exporter" || true
done
