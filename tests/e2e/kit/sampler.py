"""Asks several PostgreSQL instances at once, again and again, who they think they are, and has each of them commit if it will.

Runs inside a client pod that may reach the instances' own addresses. Every instance has one session, opened at the start
and kept for as long as it lives: a session from before the fault stays pinned to its pod, whatever the Services say.

  state <pod> <t> primary|standby <timeline>
  try <pod> <t> <id>       a row is about to be sent to the instance
  commit <pod> <t> <id>    the instance has acknowledged it

<t> is the one monotonic clock of this pod, so that lines of different pods can be compared.
"""

import argparse
import contextlib
import os
import threading
import time

import psycopg2
import psycopg2.extensions

ASK = "select pg_is_in_recovery(), (pg_control_checkpoint()).timeline_id"


# Each instance has a million ids of its own from here on: the writers' are below.
FIRST_ID = 10_000_000
IDS = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", required=True)
    parser.add_argument("--table", required=True)
    parser.add_argument("--interval", type=float, default=0.05)
    parser.add_argument(
        "--host", required=True, help="the name that the server's certificate is checked against"
    )
    parser.add_argument("instances", nargs="+", help="<pod>=<address>")
    arguments = parser.parse_args()
    insert = f"insert into {arguments.table} (id) values (%s)"  # noqa: S608 -- the table's name is the test's own
    log = os.open(arguments.log, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)

    def write(line: str) -> None:
        os.write(log, (line + "\n").encode())

    def watch(pod: str, address: str, row: int) -> None:
        connection: psycopg2.extensions.connection | None = None
        while not os.path.exists(arguments.log + ".stop"):
            began = time.monotonic()
            try:
                if connection is None:
                    connection = psycopg2.connect(
                        host=arguments.host,
                        hostaddr=address,
                        connect_timeout=2,
                        tcp_user_timeout=1500,
                        keepalives_idle=1,
                        keepalives_interval=1,
                        keepalives_count=2,
                    )
                    connection.autocommit = True
                with connection.cursor() as cursor:
                    cursor.execute(ASK)
                    standby, timeline = cursor.fetchall()[0]
                    role = "standby" if standby else "primary"
                    write(f"state {pod} {time.monotonic():.6f} {role} {timeline}")
                    if not standby:
                        row += 1
                        write(f"try {pod} {time.monotonic():.6f} {row}")
                        cursor.execute(insert, (row,))
                        write(f"commit {pod} {time.monotonic():.6f} {row}")
            except Exception:
                if connection is not None:
                    with contextlib.suppress(Exception):
                        connection.close()
                connection = None
            time.sleep(max(0.0, arguments.interval - (time.monotonic() - began)))

    threads = [
        threading.Thread(target=watch, args=(*instance.split("=", 1), FIRST_ID + number * IDS))
        for number, instance in enumerate(arguments.instances)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    write(f"end - {time.monotonic():.6f}")


main()
