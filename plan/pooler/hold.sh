#!/bin/bash
# Lets clients wait while the server is away. PgBouncer by itself refuses them: after one failed login at the server, every client that has no server
# connection gets an error (server_login_retry). A paused PgBouncer queues them, as long as query_wait_timeout lets them wait.
#
# So: each line on standard input is a login that failed. PgBouncer is paused, the server is asked at short intervals, by a few questions at a time
# since one may hang in a connection to an address that has gone, and PgBouncer resumes with the first good answer.
#
# A line `hold SECONDS` comes before a planned change of the server: PgBouncer is paused until a line `continue`, or for so long. Then the server is
# asked as above. Meanwhile there is the file $POOLER_RUN/held.
#
# Environment: POOLER_PID, POOLER_RUN, POOLER_SERVER (where and as whom to ask, for psql), POOLER_USERS, POOLER_LOGIN (role), POOLER_QUESTION (true
# where the server does what the pooler is for).
set -u

password() { sed -n "s/^\"$POOLER_LOGIN\" \"\(.*\)\"\$/\1/p" "$POOLER_USERS"; }

serves() {
  local answer
  answer=$(PGPASSWORD=$(password) PGCONNECT_TIMEOUT=2 timeout 3 \
    psql -XAtq -d "$POOLER_SERVER user=$POOLER_LOGIN" -c "$POOLER_QUESTION" 2>/dev/null)
  [ "$answer" = t ]
}

# Until it is told, or the seconds are over.
told() {
  local word
  while (($1 > SECONDS)); do
    read -r -t $(($1 - SECONDS)) word
    [ "$word" != continue ] || return
  done
}

held=${POOLER_RUN:-/tmp}/held
rm -f "$held"
answers=$(mktemp -u "${POOLER_RUN:-/tmp}/answers.XXXXXX")
mkfifo "$answers"
exec 3<>"$answers"
rm "$answers"

away=0
while read -r why; do
  # It came too late: its time was over.
  [ "$why" != continue ] || continue
  ((away++))
  began=$SECONDS
  kill -USR1 "$POOLER_PID" || exit
  if [[ $why =~ ^hold\ ([0-9]+)$ ]]; then
    : >"$held"
    echo "clients wait for a planned change of the server"
    told $((SECONDS + BASH_REMATCH[1]))
  else
    echo "the server is away, clients wait: $why"
  fi
  answer=''
  until [ "$answer" = "$away" ]; do
    { serves && echo "$away" >&3; } &
    read -r -t 0.2 -u 3 answer || answer=''
    kill -0 "$POOLER_PID" 2>/dev/null || exit
    # What failed until now is over, and PgBouncer waits where its log isn't read.
    for ((lines = 0; lines < 2000; lines++)); do read -r -t 0.01 || break; done
  done
  kill -USR2 "$POOLER_PID" || exit
  rm -f "$held"
  echo "the server is back after $((SECONDS - began)) s"
done
