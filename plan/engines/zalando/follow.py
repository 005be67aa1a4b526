"""Prints what PostgreSQL's collector writes into files, and deletes each file once a newer one is there.

PostgreSQL begins a file of another name when one is full, so that names sort by time, and what is printed of the older one is all
of it. A file beside them says how far each is printed: a restarted container continues there. LOG is the folder.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

FOLDER = Path(os.environ["LOG"])
POSITIONS = FOLDER / "positions"
PAUSE_SECONDS = 0.25
CHUNK_BYTES = 65536
# The collector writes JSON into the one, and what isn't a record into the other.
KINDS = (".json", ".log")


def files(kind: str) -> list[Path]:
    return sorted(path for path in FOLDER.glob(f"postgresql-*{kind}") if path.is_file())


def emit(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def print_from(path: Path, offset: int, ended: bool) -> int:
    """Prints whole lines from `offset` on, and what is left without an end of a file that has ended. Returns how far it came."""
    with path.open("rb") as file:
        file.seek(offset)
        rest = b""
        while chunk := file.read(CHUNK_BYTES):
            rest += chunk
            whole = rest.rfind(b"\n") + 1
            if whole > 0:
                emit(rest[:whole])
                rest = rest[whole:]
        if rest and ended:
            emit(rest + b"\n")
            rest = b""
        return file.tell() - len(rest)


def save(positions: dict[str, int]) -> None:
    unfinished = POSITIONS.with_suffix(".new")
    unfinished.write_text(json.dumps(positions))
    unfinished.rename(POSITIONS)


def load() -> dict[str, int]:
    try:
        found: Any = json.loads(POSITIONS.read_text())
        return dict(found)
    except (OSError, ValueError):
        return {}


def advance(positions: dict[str, int]) -> dict[str, int]:
    """One look at every file: the positions afterwards."""
    after: dict[str, int] = {}
    for kind in KINDS:
        found = files(kind)
        for index, path in enumerate(found):
            ended = index < len(found) - 1
            after[path.name] = print_from(path, positions.get(path.name, 0), ended)
            if ended:
                path.unlink()
                del after[path.name]
    return after


def leave(*_: object) -> NoReturn:
    sys.exit(0)


def main() -> None:
    signal.signal(signal.SIGTERM, leave)
    positions = load()
    while True:
        after = advance(positions)
        if after != positions:
            positions = after
            save(positions)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
