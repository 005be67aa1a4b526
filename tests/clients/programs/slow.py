"""Pauses in the middle of what fills every buffer on the way; says how many rows should have come, and how many did."""

# The drivers are the suite's own and unknown to the checker.
# pyright: basic, reportMissingImports=false

import asyncio
import json
import sys
import time

import psycopg

WHAT, SECONDS = sys.argv[1], int(sys.argv[2])
ROWS, TEXT = 60_000, "x" * 1000


def reader() -> int:
    rows_of = f"copy (select repeat('x', 1000) from generate_series(1, {ROWS})) to stdout"  # noqa: S608 - the number is a constant above
    with psycopg.connect() as connection, connection.cursor() as cursor, cursor.copy(rows_of) as copy:
        rows = copy.rows()
        next(rows)
        time.sleep(SECONDS)
        return 1 + sum(1 for _ in rows)


def copy() -> int:
    with psycopg.connect() as connection, connection.cursor() as cursor:
        with cursor.copy("copy slow from stdin") as rows:
            for number in range(1, ROWS + 1):
                rows.write_row((number, TEXT))
        return cursor.rowcount


async def pipeline() -> int:
    holder = await psycopg.AsyncConnection.connect()
    await holder.execute("lock table slow in access exclusive mode")
    writer = await psycopg.AsyncConnection.connect()

    async def write() -> int:
        async with writer.pipeline():
            cursors = [
                await writer.execute("insert into slow values (0, %s)", [TEXT * 100])
                for _ in range(ROWS // 100)
            ]
        await writer.commit()
        return sum(cursor.rowcount for cursor in cursors)

    writing = asyncio.create_task(write())
    await asyncio.sleep(SECONDS)
    await holder.rollback()
    rows = await writing
    await holder.close()
    await writer.close()
    return rows * 100


got = asyncio.run(pipeline()) if WHAT == "pipeline" else {"reader": reader, "copy": copy}[WHAT]()
print(json.dumps({"expected": ROWS, "got": got}))
