#!/bin/sh
# Runs the metrics exporter with the given arguments. It reads its queries once: where their file changes, it is started again.
set -eu

queries=/queries/queries.yaml
exporter=""
state() { cksum <"$queries"; }
stop() {
  if [ -n "$exporter" ]; then kill "$exporter" 2>/dev/null || true; fi
}
trap 'stop; exit 0' TERM INT

while :; do
  loaded=$(state)
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
