"""Writes rows from several sessions until standard input ends; says what was acknowledged, what failed, and the longest time without an acknowledgement."""

# The drivers are the suite's own and unknown to the checker.
# pyright: basic, reportMissingImports=false

import asyncio
import json
import sys
import time
import uuid
from collections import Counter
from itertools import pairwise

import asyncpg
import psycopg

DRIVER, WORKERS = sys.argv[1], int(sys.argv[2])
INSERT = "insert into written values ({})"
acknowledged: list[str] = []
errors: Counter[str] = Counter()
moments = [time.monotonic()]
logins: list[str] = []
over = asyncio.Event()


class Psycopg:
    async def open(self):
        self.connection = await psycopg.AsyncConnection.connect(autocommit=True)

    async def write(self, row):
        await self.connection.execute(INSERT.format("%s"), [row])

    async def close(self):
        await self.connection.close()


class Asyncpg:
    async def open(self):
        self.connection = await asyncpg.connect(timeout=130)

    async def write(self, row):
        await self.connection.execute(INSERT.format("$1"), row)

    async def close(self):
        self.connection.terminate()


Client = {"psycopg": Psycopg, "asyncpg": Asyncpg}[DRIVER]


def failed(what: str, error: BaseException) -> None:
    errors[f"{what}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"] += 1


async def writer() -> None:
    while not over.is_set():
        client = Client()
        try:
            await client.open()
        except Exception as error:
            failed("login", error)
            await asyncio.sleep(0.05)
            continue
        try:
            while not over.is_set():
                row = str(uuid.uuid4())
                await client.write(row)
                acknowledged.append(row)
                moments.append(time.monotonic())
                await asyncio.sleep(0.02)
        except Exception as error:
            failed("write", error)
        finally:
            await client.close()


async def newcomer() -> None:
    """Sessions that begin, do one thing and end."""
    while not over.is_set():
        client = Client()
        try:
            await client.open()
            row = str(uuid.uuid4())
            await client.write(row)
            acknowledged.append(row)
            logins.append(row)
            await client.close()
        except Exception as error:
            failed("newcomer", error)
        await asyncio.sleep(0.1)


async def main() -> None:
    work = [asyncio.create_task(writer()) for _ in range(WORKERS)] + [
        asyncio.create_task(newcomer()) for _ in range(2)
    ]
    await asyncio.to_thread(sys.stdin.read)
    over.set()
    await asyncio.wait(work, timeout=10)
    moments.append(time.monotonic())
    gap = max(later - sooner for sooner, later in pairwise(moments))
    print(
        json.dumps(
            {"acknowledged": acknowledged, "errors": errors, "gap": round(gap, 2), "logins": len(logins)}
        )
    )


asyncio.run(main())
