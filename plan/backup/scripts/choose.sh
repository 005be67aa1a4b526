# shellcheck shell=sh
# Chooses what to restore: the newest finished base backup of a target, and the WAL from there on.
#
# Environment: see places.sh; NUMBER, of the target; WORK, the folder that the verification's containers share; WAIT_SECONDS, how long the
# copy may take to have the row's WAL; TO and TO_SECONDS, a moment to restore to and its seconds since 1970, in place of the newest; TOOL, walg or
# nothing, and with it WINDOW_DAYS. Written: backup, its id; segments, their names; chosen, when; kept, what the last one kept, an id a line; with WAL-G oldest,
# the base backup from which on everything is needed.
set -u
# shellcheck source=places.sh
. /scripts/places.sh
# shellcheck source=timelines.sh
. /scripts/timelines.sh
fail() {
  printf '%s\n' "$*" | tee "$WORK/failed"
  exit 0
}
[ ! -e "$WORK/failed" ] || exit 0
name=$(value "TARGET_$NUMBER") place=$(value "PLACE_$NUMBER")/$ARCHIVE_ID reports=$(value "REPORTS_$NUMBER")/$ARCHIVE_ID

TROUBLE=$WORK/trouble
unread() { fail "the target $name can't be read: $why"; }
: >"$TROUBLE"
ask lsf --dirs-only "$place/base" >/dev/null 2>&1
! why=$(troubled) || unread

if [ -e "$WORK/segment" ]; then
  segment=$(cat "$WORK/segment")
  end=$(($(date +%s) + WAIT_SECONDS))
  echo "waiting until the target $name has $segment"
  while newest=$(newest_segment "$place" 2>/dev/null); newest=${newest%%;*}; [ "$(printf '%s\n' "$newest" "$segment" | sort | tail -n 1)" != "$newest" ]; do
    [ "$(date +%s)" -lt "$end" ] || fail "the target $name has the WAL until ${newest:-nothing} only, a row of $WAIT_SECONDS s ago is in $segment"
    sleep 2
  done
fi

tries=0
while
  : >"$TROUBLE"
  backup=$(finished "$place" "$WORK/info" "${TO_SECONDS:-}")
  why=$(troubled)
do
  tries=$((tries + 1))
  [ "$tries" -lt 5 ] || unread
  sleep 2
done
[ -n "$backup" ] ||
  fail "the target $name has no finished base backup of archive $ARCHIVE_ID${TO:+ from before $TO}"
begin=$(info "$WORK/info" begin_wal)
identify "$place" "$backup" "$WORK/info"
of=$(info "$WORK/info" systemid) runs=$(cat "$WORK/system" 2>/dev/null)
[ -z "$of" ] || [ -z "$runs" ] || [ "$of" = "$runs" ] ||
  fail "the newest base backup $backup in the target $name is of the database cluster $of, and $runs runs: begin an archive of its own (backup.archiveNumber)"
date +%s >"$WORK/chosen"
segments "$place" "$begin" >"$WORK/segments"
! why=$(troubled) || unread
grep -qx "$begin" "$WORK/segments" || fail "the segment $begin, with which the base backup $backup begins, is missing in the target $name"
# The second place is where it was kept before: what was marked then must be released, too.
for kept in "$reports/kept" "$place/verified/kept"; do
  ask cat "$kept" >"$WORK/kept" 2>/dev/null
  # What was kept and isn't known would never be released again.
  ! why=$(troubled) || unread
  [ ! -s "$WORK/kept" ] || break
done
[ "${TOOL:-}" != walg ] || (finished "$place" "$WORK/info.oldest" $(($(date +%s) - WINDOW_DAYS * 86400))) >"$WORK/oldest"
echo "$backup" >"$WORK/backup"
echo "base backup $backup of $(info "$WORK/info" begin_time), $(wc -l <"$WORK/segments") segments from $begin to $(tail -n 1 "$WORK/segments")"
