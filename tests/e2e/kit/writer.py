"""Writes one row after the other and keeps a log of what the server acknowledged.

Runs inside a client pod. The log is the test's memory of what the server promised, so it must never claim more than what
happened, and it must survive whatever happens to the server:

  try <id> <t>            on disk (fdatasync) before the row is sent
  ack <id> <t>            on disk before the next row is tried; the server has said that the row is committed
  unknown <id> <t> <why>  the server may or may not have kept the row
  failed - <t> <why>      no connection; no row was sent
  connected - <t> <server> recovery=<bool> via=<address that the server sees>
  mark|heal - <t>         the test begins or ends a fault (it makes the file <log>.mark or <log>.heal)
  end - <t>               the test asked for the end (it makes the file <log>.stop)

<t> is this pod's monotonic clock in seconds. Ids begin at --first-id and are never used again, not even after an error, and
not after a restart of this program either: an existing log is continued.
The connection comes from libpq's environment variables (PGHOST, PGPASSWORD, PGSSLROOTCERT ...). With --login name and password come
from the files of a mounted Secret, and a changed one is taken up at once, by a session of its own.
"""

import argparse
import contextlib
import os
import re
import socket
import threading
import time
from typing import Any

import psycopg2
import psycopg2.extensions

LIVENESS: dict[str, Any] = {
    "connect_timeout": 2,
    # A server that vanished without a word is given up after about two seconds.
    "tcp_user_timeout": 1500,
    "keepalives": 1,
    "keepalives_idle": 1,
    "keepalives_interval": 1,
    "keepalives_count": 2,
}


class Log:
    def __init__(self, path: str) -> None:
        self.path = path
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def past(self) -> str:
        with open(self.path) as log:
            return log.read()

    def write(self, kind: str, row: int | str, text: str = "") -> None:
        line = f"{kind} {row} {time.monotonic():.6f} {text}".rstrip() + "\n"
        os.write(self.file, line.encode())
        os.fdatasync(self.file)

    def asked_for(self, what: str) -> bool:
        return os.path.exists(f"{self.path}.{what}")


class Watch(threading.Thread):
    """Writes the test's marks even while the writer waits, and ends a wait for a server that is there and doesn't answer."""

    def __init__(self, log: Log, patience: float, seen: set[str]) -> None:
        super().__init__(daemon=True)
        self.log = log
        self.patience = patience
        self.marks = [what for what in ("mark", "heal") if what not in seen]
        self.lock = threading.Lock()
        self.waiting: tuple[int, float] | None = None

    def waits(self, connection: psycopg2.extensions.connection | None) -> None:
        with self.lock:
            self.waiting = None if connection is None else (connection.fileno(), time.monotonic())

    def run(self) -> None:
        while True:
            for what in [mark for mark in self.marks if self.log.asked_for(mark)]:
                self.log.write(what, "-")
                self.marks.remove(what)
            with self.lock:
                if self.waiting is not None and time.monotonic() - self.waiting[1] > self.patience:
                    with socket.socket(fileno=os.dup(self.waiting[0])) as copy:
                        copy.shutdown(socket.SHUT_RDWR)
                    self.waiting = None
            time.sleep(0.01)


def login_in(folder: str | None) -> dict[str, Any]:
    """Name and password out of one version of a mounted Secret."""
    if folder is None:
        return {}
    version = os.path.realpath(os.path.join(folder, "..data"))
    texts: dict[str, Any] = {}
    for key, file in (("user", "username"), ("password", "password")):
        with open(os.path.join(version, file)) as content:
            texts[key] = content.read()
    return texts


def short(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def given() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", required=True)
    parser.add_argument("--table", required=True)
    parser.add_argument("--first-id", type=int, required=True)
    parser.add_argument("--interval", type=float, default=0.02, help="seconds from one row to the next")
    parser.add_argument("--patience", type=float, default=3, help="seconds to wait for the answer to a row")
    parser.add_argument("--read-write", action="store_true", help="refuse sessions with a standby")
    parser.add_argument("--login", help="folder of a mounted Secret with username and password")
    return parser.parse_args()


def main() -> None:
    arguments = given()
    log = Log(arguments.log)
    past = log.past()
    tried = [int(row) for row in re.findall(r"^try (\d+) ", past, re.MULTILINE)]
    row = max(tried) + 1 if tried else arguments.first_id
    watch = Watch(log, arguments.patience, set(re.findall(r"^(mark|heal) ", past, re.MULTILINE)))
    watch.start()
    # PgBouncer knows no target_session_attrs: it asks for the server itself.
    extra: dict[str, Any] = {"target_session_attrs": "read-write"} if arguments.read_write else {}
    insert = f"insert into {arguments.table} (id) values (%s)"  # noqa: S608 -- the table's name is the test's own
    connection: psycopg2.extensions.connection | None = None
    login: dict[str, Any] = {}
    while not log.asked_for("stop"):
        began = time.monotonic()
        try:
            if login_in(arguments.login) != login:
                close(connection)
                connection = None
            if connection is None:
                login = login_in(arguments.login)
                connection = psycopg2.connect(**LIVENESS, **extra, **login)
                # Outside a transaction block a statement is committed when its answer arrives.
                connection.autocommit = True
                watch.waits(connection)
                with connection.cursor() as cursor:
                    cursor.execute(
                        "select coalesce(host(inet_server_addr()), 'local'), pg_is_in_recovery(), host(inet_client_addr())"
                    )
                    server, recovery, via = cursor.fetchall()[0]
                    log.write("connected", "-", f"{server} recovery={recovery} via={via}")
                watch.waits(None)
        except Exception as error:
            watch.waits(None)
            log.write("failed", "-", short(error))
            close(connection)
            connection = None
        else:
            log.write("try", row)
            try:
                watch.waits(connection)
                with connection.cursor() as cursor:
                    cursor.execute(insert, (row,))
                watch.waits(None)
                log.write("ack", row)
            except Exception as error:
                watch.waits(None)
                log.write("unknown", row, short(error))
                close(connection)
                connection = None
            row += 1
        time.sleep(max(0.0, arguments.interval - (time.monotonic() - began)))
    close(connection)
    log.write("end", "-")


def close(connection: psycopg2.extensions.connection | None) -> None:
    if connection is not None:
        with contextlib.suppress(Exception):
            connection.close()


main()
