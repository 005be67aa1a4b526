# shellcheck shell=sh
# Reads mounted certificates again and again and says in metrics.txt when each of them ends. There is no openssl in the image: a certificate's fields are found in its DER.
#
# Environment: CERTIFICATES, names of the certificates; FOLDER, where each of them is the file <name>/tls.crt; STATE, the folder of metrics.txt; SECONDS_BETWEEN, how long
# to wait between two looks.
set -u
trap 'exit 0' TERM INT

# ends FILE: of each certificate in it, in the file's order, when it ends, in seconds since 1970. Ends badly where one of them can't be read, or none is there.
ends() {
  awk '
    /^-----BEGIN CERTIFICATE-----/ { inside = 1; text = ""; next }
    /^-----END CERTIFICATE-----/ { if (inside) print text; inside = 0; next }
    inside { gsub(/[ \t\r]/, ""); text = text $0 }' "$1" >"$STATE/.pem" || return
  [ -s "$STATE/.pem" ] || return
  while read -r text; do
    echo "$text" | base64 -d 2>/dev/null | od -An -v -tx1 | tr -d ' \n' | ending || return
  done <"$STATE/.pem"
}

# ending: of the DER on standard input, in hexadecimal, its field notAfter. Places count from 1, two digits a byte.
ending() {
  awk '
    function digit(at) { return index("0123456789abcdef", substr(der, at, 1)) - 1 }
    function byte(at) { return digit(at) * 16 + digit(at + 1) }
    # length_at: of the content of the element at a place; sets content to where that begins.
    function length_at(at,   first, count, size) {
      first = byte(at + 2)
      content = at + 4
      if (first < 128) return first
      count = first - 128
      if (count > 4) fail()
      for (size = 0; count > 0; count--) { size = size * 256 + byte(content); content += 2 }
      return size
    }
    # after: the place behind the element at a place.
    function after(at,   size) { size = length_at(at); return content + 2 * size }
    function tagged(at, tag) { if (substr(der, at, 2) != tag) fail() }
    function fail() { failed = 1; exit 1 }
    function text(at, size,   result) {
      for (result = ""; size > 0; size--) { result = result substr("0123456789", byte(at) - 47, 1); at += 2 }
      return result
    }
    # Days since 1970 by the Gregorian calendar, whose years begin in March here.
    function days(year, month, day,   era) {
      if (month <= 2) { year--; month += 12 }
      era = int(year / 400)
      year -= era * 400
      return era * 146097 + year * 365 + int(year / 4) - int(year / 100) + int((153 * (month - 3) + 2) / 5) + day - 1 - 719468
    }
    { der = $0 }
    END {
      if (failed || der == "") exit 1
      if (after(1) != length(der) + 1) exit 1            # cut off
      tagged(1, "30"); length_at(1); at = content        # Certificate
      tagged(at, "30"); length_at(at); at = content      # TBSCertificate
      if (substr(der, at, 2) == "a0") at = after(at)     # version
      tagged(at, "02"); at = after(at)                   # serialNumber
      tagged(at, "30"); at = after(at)                   # signature
      tagged(at, "30"); at = after(at)                   # issuer
      tagged(at, "30"); length_at(at); at = after(content) # validity, behind notBefore
      tag = substr(der, at, 2)
      size = length_at(at)
      time = text(content, size - 1)
      if (substr(der, content + 2 * (size - 1), 2) != "5a") fail() # Z
      if (tag == "17" && length(time) == 12) time = (substr(time, 1, 2) < 50 ? "20" : "19") time
      if ((tag != "17" && tag != "18") || length(time) != 14) fail()
      hours = substr(time, 9, 2) * 3600 + substr(time, 11, 2) * 60 + substr(time, 13, 2)
      printf "%.0f\n", days(substr(time, 1, 4) + 0, substr(time, 5, 2) + 0, substr(time, 7, 2) + 0) * 86400 + hours
    }'
}

gauge() { # NAME MEANING
  printf '# HELP pgplatform_certificate_%s %s\n# TYPE pgplatform_certificate_%s gauge\n' "$1" "$2" "$1"
}

look() {
  : >"$STATE/.expiry"
  : >"$STATE/.readable"
  for name in $CERTIFICATES; do
    # A chain holds as long as the certificate in it that ends first.
    if ends "$FOLDER/$name/tls.crt" >"$STATE/.ends" 2>/dev/null; then
      readable=1
      echo "pgplatform_certificate_expiry_timestamp_seconds{certificate=\"$name\"} $(sort -n "$STATE/.ends" | head -n 1)" >>"$STATE/.expiry"
    else
      readable=0
    fi
    echo "pgplatform_certificate_readable{certificate=\"$name\"} $readable" >>"$STATE/.readable"
  done
  {
    gauge expiry_timestamp_seconds "When the certificate ends; of a chain, the one that ends first."
    cat "$STATE/.expiry"
    gauge readable "Whether the certificate is there and could be read."
    cat "$STATE/.readable"
  } >"$STATE/.metrics"
  mv "$STATE/.metrics" "$STATE/certificates.part"
  # Another container may have a part, too.
  cat "$STATE"/*.part >"$STATE/.all-certificates" && mv "$STATE/.all-certificates" "$STATE/metrics.txt"
}

while :; do
  look
  sleep "$SECONDS_BETWEEN" &
  wait $!
done
