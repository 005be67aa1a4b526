"""Writes rows by the recipe's pool until standard input ends; says what was acknowledged, what failed, and the longest time without an acknowledgement."""

# The drivers are the suite's own and unknown to the checker.
# pyright: basic, reportMissingImports=false

import asyncio
import json
import logging
import os
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import recipes

DRIVER, WORKERS = sys.argv[1], int(sys.argv[2])
# Between two writes of a worker.
PAUSE = 0.05
INSERT = "insert into written values ({})"
acknowledged: list[str] = []
errors: Counter[str] = Counter()
moments: list[float] = []
over = threading.Event()
# The suite counts errors itself.
logging.disable()


def new_row() -> str:
    return f"{os.environ['CLIENT']}:{uuid.uuid4()}"


def written(row: str) -> None:
    if not acknowledged:
        print("it writes", flush=True)
    acknowledged.append(row)
    moments.append(time.monotonic())


def failed(error: Exception) -> None:
    errors[f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"] += 1


def report() -> None:
    moments.append(time.monotonic())
    gap = max((later - sooner for sooner, later in pairwise(moments)), default=0.0)
    print(json.dumps({"acknowledged": acknowledged, "errors": errors, "gap": round(gap, 3)}), flush=True)
    # Who waits still must not keep it.
    os._exit(0)


async def by_asyncpg() -> None:
    from recipe_asyncpg import open_pool  # noqa: PLC0415 -- where the program of this driver runs

    pool = await open_pool()

    async def worker() -> None:
        while not over.is_set():
            row = new_row()
            try:
                await pool.execute(INSERT.format("$1"), row)
            except Exception as error:
                failed(error)
                await asyncio.sleep(PAUSE)
            else:
                written(row)
                await asyncio.sleep(PAUSE)

    work = [asyncio.create_task(worker()) for _ in range(WORKERS)]
    await asyncio.to_thread(sys.stdin.read)
    over.set()
    await asyncio.wait(work, timeout=10)


def in_threads(write: Callable[[str], None]) -> None:
    def worker() -> None:
        while not over.is_set():
            row = new_row()
            try:
                write(row)
            except Exception as error:
                failed(error)
                time.sleep(PAUSE)
            else:
                written(row)
                time.sleep(PAUSE)

    work = [threading.Thread(target=worker, daemon=True) for _ in range(WORKERS)]
    for one in work:
        one.start()
    sys.stdin.read()
    over.set()
    until = time.monotonic() + 10
    for one in work:
        one.join(max(0, until - time.monotonic()))


def by_psycopg() -> None:
    from recipe_psycopg import pool  # noqa: PLC0415 -- where the program of this driver runs

    def write(row: str) -> None:
        with pool.connection() as connection:
            connection.execute(INSERT.format("%s"), [row])

    in_threads(write)


def by_django() -> None:
    recipes.set_up_django()
    from django.core import signals  # noqa: PLC0415 -- where the program of this driver runs
    from django.db import connection  # noqa: PLC0415 -- where the program of this driver runs

    def write(row: str) -> None:
        # As around each request.
        signals.request_started.send(sender=None)
        try:
            with connection.cursor() as cursor:
                cursor.execute(INSERT.format("%s"), [row])
        finally:
            signals.request_finished.send(sender=None)

    in_threads(write)


if DRIVER == "asyncpg":
    asyncio.run(by_asyncpg())
else:
    {"psycopg": by_psycopg, "django": by_django}[DRIVER]()
report()
