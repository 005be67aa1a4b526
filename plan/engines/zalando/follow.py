"""Prints what PostgreSQL's collector writes into files, and deletes each file once a newer one is there.

PostgreSQL begins a file of another name when one is full, so that names sort by time, and what is printed of the older one is all
of it. A file beside them says how far each is printed: a restarted container continues there. LOG is the folder.

The container has more than it needs: the server's volumes. So before it reads a line it gives up to open, list or change anything outside
of the folder, to connect, and to start programs. Python has no way to take such a hook away again.
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


# What is done with paths: how many of the arguments are some.
PATHS = {
    "open": 1,
    "os.chmod": 1,
    "os.chown": 1,
    "os.link": 2,
    "os.listdir": 1,
    "os.mkdir": 1,
    "os.remove": 1,
    "os.rename": 2,
    "os.rmdir": 1,
    "os.scandir": 1,
    "os.symlink": 2,
    "os.truncate": 1,
    "os.utime": 1,
}
NEVER = ("ctypes.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "pty.", "socket.", "subprocess.")


def within(path: object) -> bool:
    if not isinstance(path, (str, bytes, os.PathLike)):
        return False
    real = os.path.realpath(os.fsdecode(path))
    return real == REAL or real.startswith(REAL + os.sep)


REAL = os.path.realpath(FOLDER)


def guard(event: str, args: tuple[object, ...]) -> None:
    paths = args[: PATHS.get(event, 0)]
    if event.startswith(NEVER) or not all(within(path) for path in paths):
        raise PermissionError(f"{event} {args[:2]} is not what this program is for")


def leave(*_: object) -> NoReturn:
    sys.exit(0)


def main() -> None:
    signal.signal(signal.SIGTERM, leave)
    sys.addaudithook(guard)
    positions = load()
    while True:
        after = advance(positions)
        if after != positions:
            positions = after
            save(positions)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
