# shellcheck shell=sh
# restoreCommand.sh NAME PATH: PostgreSQL's restore_command in a verification; see serve.sh. Only an archive that hasn't got the file says
# so: everything else ends the server, and with it the verification.
rm -f "$WORK/answered/$1"
: >"$WORK/asked/$1"
while [ ! -e "$WORK/answered/$1" ]; do sleep 0.02; done
code=$(cat "$WORK/answered/$1")
case $code in
0) mv "$WORK/log/$1" "$2" && echo "$1" >>"$WORK/fetched" ;;
1) exit 1 ;;
*)
  echo "$1 can't be fetched: $(tail -n 1 "$WORK/fetch.log")" >>"$WORK/unfetched"
  exit 200
  ;;
esac
