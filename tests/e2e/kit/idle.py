"""Opens sessions that have done something and then do nothing, until the file <log>.stop is there.

Writes `ready <sessions>` once all of them have been used at the same time, so that a pooler has as many server sessions.
"""

import argparse
import os
import threading
import time

import psycopg2
import psycopg2.extensions

parser = argparse.ArgumentParser()
parser.add_argument("--log", required=True)
parser.add_argument("--sessions", type=int, required=True)
arguments = parser.parse_args()

connections = [psycopg2.connect(connect_timeout=5) for _ in range(arguments.sessions)]


def use(connection: psycopg2.extensions.connection) -> None:
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("select pg_sleep(0.3)")


threads = [threading.Thread(target=use, args=(connection,)) for connection in connections]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with open(arguments.log, "w") as log:
    log.write(f"ready {len(connections)}\n")
while not os.path.exists(arguments.log + ".stop"):
    time.sleep(0.1)
