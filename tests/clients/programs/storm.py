"""Opens many sessions at once, then more, keeps them, and opens those again that were lost; says how many were refused, and why."""

# The drivers are the suite's own and unknown to the checker.
# pyright: basic, reportMissingImports=false

import asyncio
import json
import sys
from collections import Counter

import asyncpg

STORM, ALL = int(sys.argv[1]), int(sys.argv[2])
refused: Counter[str] = Counter()
sessions: list[asyncpg.Connection] = []


async def open_one() -> None:
    try:
        sessions.append(await asyncpg.connect(timeout=300))
    except Exception as error:
        refused[f"{type(error).__name__}: {error}"] += 1


async def main() -> None:
    await asyncio.gather(*(open_one() for _ in range(STORM)))
    free = asyncio.Semaphore(50)

    async def guarded() -> None:
        async with free:
            await open_one()

    await asyncio.gather(*(guarded() for _ in range(ALL - STORM)))
    print(json.dumps({"open": len(sessions)}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    lost = [one for one in sessions if one.is_closed()]
    sessions[:] = [one for one in sessions if not one.is_closed()]
    await asyncio.gather(*(open_one() for _ in lost))
    free = asyncio.Semaphore(100)

    async def answers(one: asyncpg.Connection) -> bool:
        async with free:
            return await one.fetchval("select 1") == 1

    working = sum(await asyncio.gather(*(answers(one) for one in sessions)))
    print(json.dumps({"refused": refused, "again": len(lost), "working": working}))


asyncio.run(main())
