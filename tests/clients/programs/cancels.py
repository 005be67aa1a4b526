"""Starts queries and cancels each from another connection; says how many were cancelled and how many ran on."""

# The drivers are the suite's own and unknown to the checker.
# pyright: basic, reportMissingImports=false

import asyncio
import json
import sys

import asyncpg
import psycopg

DRIVER, COUNT = sys.argv[1], int(sys.argv[2])
PATIENCE = 20
# It says when it runs: a cancel that comes before a query has nothing to cancel, at a server too.
QUERY = "do $$ begin raise notice 'it runs'; perform pg_sleep(120); end $$"
AT_ONCE = 10


class SentAwayError(Exception):
    """A pod that leaves ended the session before its query began."""


async def begun(query: asyncio.Task, runs: asyncio.Event) -> None:
    told = asyncio.create_task(runs.wait())
    await asyncio.wait({query, told}, return_when=asyncio.FIRST_COMPLETED)
    if not runs.is_set():
        told.cancel()
        raise SentAwayError from query.exception()


async def by_psycopg() -> bool:
    async with await psycopg.AsyncConnection.connect(autocommit=True) as connection:
        runs = asyncio.Event()
        connection.add_notice_handler(lambda _: runs.set())
        query = asyncio.create_task(connection.execute(QUERY))
        await begun(query, runs)
        await connection.cancel_safe()
        try:
            await asyncio.wait_for(query, PATIENCE)
        except psycopg.errors.QueryCanceled:
            return True
        except TimeoutError:
            pass
        return False


async def by_asyncpg() -> bool:
    connection = await asyncpg.connect()
    try:
        runs = asyncio.Event()
        connection.add_log_listener(lambda *_: runs.set())
        query = asyncio.create_task(connection.execute(QUERY))
        await begun(query, runs)
        query.cancel()
        # The session answers only once the server has ended the query.
        return await asyncio.wait_for(connection.fetchval("select 1"), PATIENCE) == 1
    except TimeoutError:
        return False
    finally:
        connection.terminate()


async def main() -> None:
    one = {"psycopg": by_psycopg, "asyncpg": by_asyncpg}[DRIVER]
    free = asyncio.Semaphore(AT_ONCE)

    async def guarded() -> bool:
        async with free:
            while True:
                try:
                    return await one()
                except SentAwayError:
                    pass

    outcomes = await asyncio.gather(*(guarded() for _ in range(COUNT)))
    print(json.dumps({"cancelled": sum(outcomes), "lost": COUNT - sum(outcomes)}))


asyncio.run(main())
