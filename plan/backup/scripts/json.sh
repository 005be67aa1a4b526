# shellcheck shell=sh
# How the scripts write JSON, in images that have no program for it; read by them with `.`. What each line of theirs may hold is in ../results.ts.

JSON_TEXT='
  BEGIN { for (code = 1; code < 32; code++) control[sprintf("%c", code)] = sprintf("\\u%04x", code) }
  function text(value,    at, one, all) {
    for (at = 1; at <= length(value); at++) {
      one = substr(value, at, 1)
      if (one == "\\" || one == "\"") one = "\\" one
      else if (one in control) one = control[one]
      all = all one
    }
    return "\"" all "\""
  }'

# json KEY VALUE …: a line with an object. A value is a text, whatever is in it; behind a key that ends with a colon it is JSON already, such as a number,
# and nothing is null.
json() {
  awk -- "$JSON_TEXT"'
    BEGIN {
      for (at = 1; at + 1 < ARGC; at += 2) {
        key = ARGV[at]
        value = ARGV[at + 1]
        ready = sub(/:$/, "", key)
        line = line (at > 1 ? "," : "") text(key) ":" (!ready ? text(value) : value == "" ? "null" : value)
      }
      print "{" line "}"
    }' "$@"
}

# json_list: the lines of standard input as a list of texts.
json_list() { awk -- "$JSON_TEXT"' { all = all (NR > 1 ? "," : "") text($0) } END { print "[" all "]" }'; }
