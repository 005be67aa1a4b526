#!/bin/sh
# Prints the folder of another major version of Node.js, from its npm package; `make test NODE=24` puts it before PATH.
set -eu
major=$1
case $major in
  '' | *[!0-9]*)
    echo "error: NODE: \"$major\" is not a major version of Node.js, such as 24." >&2
    exit 1
    ;;
esac
cache=${PGP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/postgres-platform}/node
package=$(node -p 'const {platform, arch} = process; ["node", platform, arch].join("-")')
folder=$cache/$major/node_modules/$package/bin
if [ ! -x "$folder/node" ]; then
  mkdir -p "$cache/$major"
  npm install --prefix "$cache/$major" --no-save --no-audit --no-fund --loglevel=error "$package@$major" >&2
fi
echo "$folder"
