"""Sets in Patroni's configuration, by its REST interface, what the custom resource has no field for.

PATRONI_URL is where Patroni listens, PATRONI_CONFIGURATION the part to set, as JSON. What is so already stays untouched.
"""

import json
import os
import sys
import time
import urllib.request
from typing import Any, cast

URL = os.environ["PATRONI_URL"] + "/config"
WANTED: dict[str, Any] = json.loads(os.environ["PATRONI_CONFIGURATION"])
WAIT_SECONDS = 60


def ask(method: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
    body = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(URL, body, {"Content-Type": "application/json"}, method=method)  # noqa: S310 -- http, as the plan has it
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 -- as above
        return json.load(answer)


def lacking(wanted: dict[str, Any], present: Any) -> dict[str, Any]:
    """What of `wanted` isn't so, sections key by key: Patroni lays it over what it has."""
    have = cast(dict[str, Any], present) if isinstance(present, dict) else {}
    result: dict[str, Any] = {}
    for key, value in wanted.items():
        if isinstance(value, dict):
            if part := lacking(cast(dict[str, Any], value), have.get(key)):
                result[key] = part
        elif have.get(key) != value:
            result[key] = value
    return result


def settle() -> dict[str, Any]:
    missing = lacking(WANTED, ask("GET"))
    if missing:
        ask("PATCH", missing)
    return missing


end = time.monotonic() + WAIT_SECONDS
while True:
    try:
        changed = settle()
        break
    except OSError as error:
        if time.monotonic() > end:
            sys.exit(f"patroni: no answer from {URL}: {error}")
        time.sleep(1)
print(
    f"patroni: {json.dumps(changed)} set" if changed else "patroni: configured as described", file=sys.stderr
)
