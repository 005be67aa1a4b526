"""Tries to open TCP connections; prints one line for each target: `<address>:<port> open|closed <why>`."""

import socket
import sys
from concurrent.futures import ThreadPoolExecutor


def probe(target: str) -> str:
    address, port = target.rsplit(":", 1)
    try:
        socket.create_connection((address, int(port)), timeout=2).close()
        return f"{target} open"
    except OSError as error:
        return f"{target} closed {error}"


with ThreadPoolExecutor(32) as pool:
    for line in pool.map(probe, sys.argv[1:]):
        print(line)
