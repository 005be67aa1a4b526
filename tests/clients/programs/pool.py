"""Reads from a pool now and then, beside transactions that last, until standard input ends; says what failed."""

# The drivers are the suite's own and unknown to the checker.
# pyright: basic, reportMissingImports=false

import asyncio
import contextlib
import json
import sys
from collections import Counter

import asyncpg

WORKERS = int(sys.argv[1])
# Between two reads of a worker, and of one transaction.
PAUSE, LONG = 1, "select pg_sleep(12)"
errors: Counter[str] = Counter()
over = asyncio.Event()
done: list[str] = []


async def worker(pool: asyncpg.Pool, statement: str, pause: float) -> None:
    while not over.is_set():
        connection = await pool.acquire()
        try:
            await connection.execute(statement)
            done.append(statement)
        except Exception as error:
            errors[f"{statement}: {type(error).__name__}: {error}"] += 1
        # What the pool itself says to the server when it takes a connection back is no statement of the application.
        with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError):
            await pool.release(connection)
        await asyncio.sleep(pause)


async def main() -> None:
    async with asyncpg.create_pool(min_size=2 * WORKERS, max_size=2 * WORKERS) as pool:
        work = [asyncio.create_task(worker(pool, "select 1", PAUSE)) for _ in range(WORKERS)]
        work += [asyncio.create_task(worker(pool, LONG, PAUSE)) for _ in range(WORKERS // 2)]
        await asyncio.to_thread(sys.stdin.read)
        over.set()
        await asyncio.gather(*work)
    print(json.dumps({"errors": errors, "done": len(done)}))


asyncio.run(main())
