# shellcheck shell=sh
# What an instance says of itself, for `pgp status`: volumes, then PostgreSQL, which gets 2 s. Arguments: the statement, then
# <use>=<folder> of each volume. Prints lines: `volume <use> <bytes> <used>`, then `answer <json>` or `silent <exit code> <words>`.
statement=$1
shift
# Beside the question: on a busy machine what is started after the other comes too late to tell a server that hangs from one that is slow.
for pair in "$@"; do
  folder=${pair#*=}
  [ -d "$folder" ] || continue
  timeout 1 df -PB1 "$folder" 2>/dev/null | while read -r _ bytes used _; do
    case $bytes in *[!0-9]*) ;; *) echo "volume ${pair%%=*} $bytes $used" ;; esac
  done &
done
answer=$(PGCONNECT_TIMEOUT=2 PGAPPNAME=pgp timeout -k 0.5 -s INT 2 psql -XAtq -v ON_ERROR_STOP=1 -U postgres -d postgres -c "$statement" 2>&1)
code=$?
wait
if [ "$code" = 0 ]; then
  # Not by echo, which may read what a backslash begins.
  printf 'answer %s\n' "$answer"
else
  printf 'silent %s %s\n' "$code" "$(printf '%s' "$answer" | tr '\n' ' ')"
fi
