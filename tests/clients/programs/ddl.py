"""Reads a table by prepared statements until standard input ends; says when reads failed."""

# The drivers are the suite's own and unknown to the checker.
# pyright: basic, reportMissingImports=false

import asyncio
import json
import sys
import time

import asyncpg
import psycopg
import recipes

DRIVER = sys.argv[1]
SESSIONS, QUERY = 4, "select * from changing"
failures: list[float] = []
reads: list[float] = []
over = asyncio.Event()


async def by_asyncpg():
    connection = await asyncpg.connect()
    return lambda: connection.fetch(QUERY)


async def by_psycopg():
    connection = await psycopg.AsyncConnection.connect(autocommit=True, prepare_threshold=0)

    async def read():
        await (await connection.execute(QUERY)).fetchall()

    return read


async def by_django():
    recipes.set_up_django()
    from django.db.utils import ConnectionHandler  # noqa: PLC0415 -- only where Django is installed
    from recipe_django import DATABASES  # noqa: PLC0415 -- only where Django is installed

    connection = ConnectionHandler(DATABASES)["default"]

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute(QUERY)
            cursor.fetchall()

    async def read():
        ask()

    return read


async def reader() -> None:
    read = await {"asyncpg": by_asyncpg, "psycopg": by_psycopg, "django": by_django}[DRIVER]()
    while not over.is_set():
        try:
            await read()
            reads.append(time.time())
        except Exception:
            failures.append(time.time())
        await asyncio.sleep(0.05)


async def main() -> None:
    work = [asyncio.create_task(reader()) for _ in range(SESSIONS)]
    await asyncio.to_thread(sys.stdin.read)
    over.set()
    await asyncio.gather(*work)
    print(json.dumps({"failures": failures, "reads": len(reads)}))


asyncio.run(main())
