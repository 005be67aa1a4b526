"""What of a session works by a driver, in one line of JSON: by name, what was found."""

# The drivers are the suite's own and unknown to the checker.
# pyright: basic, reportMissingImports=false

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable

import asyncpg
import psycopg
import recipes

DRIVER = sys.argv[1]
URL = os.environ["DATABASE_URL"]
ROWS = ["one", "two", "three"]
NEWS = "select pg_notify('news', 'one')::text"


class ByPsycopg:
    async def session(self, **more):
        return await psycopg.AsyncConnection.connect(URL, autocommit=True, connect_timeout=30, **more)

    async def value(self, session, statement):
        cursor = await session.execute(statement)
        return (await cursor.fetchone())[0] if cursor.description else None

    async def close(self, session):
        await session.close()

    async def search_path(self):
        return await self.session(options="-c search_path=pg_catalog")

    async def prepared(self):
        session = await self.session()

        async def use(number: int) -> int:
            return (await (await session.execute("select %s::int + 1", [number], prepare=True)).fetchone())[0]

        return use

    async def copy(self, session):
        async with session.cursor() as cursor, cursor.copy("copy copied from stdin") as copy:
            for row in ROWS:
                await copy.write_row([row])

    async def hears(self, session) -> bool:
        return [one async for one in session.notifies(timeout=1, stop_after=1)] != []


class ByAsyncpg:
    async def session(self, **more):
        return await asyncpg.connect(URL, timeout=30, **more)

    async def value(self, session, statement):
        return await session.fetchval(statement)

    async def close(self, session):
        await session.close()

    async def search_path(self):
        return await self.session(server_settings={"search_path": "pg_catalog"})

    async def prepared(self):
        statement = await (await self.session()).prepare("select $1::int + 1")
        return statement.fetchval

    async def copy(self, session):
        await session.copy_records_to_table("copied", records=[[row] for row in ROWS])

    async def hears(self, session) -> bool:
        heard = asyncio.Event()
        await session.add_listener("news", lambda *_: heard.set())
        sender = await self.session()
        await sender.execute(NEWS)
        await sender.close()
        for _ in range(20):
            await session.execute("select 1")
            await asyncio.sleep(0.05)
        return heard.is_set()


class ByDjango(ByPsycopg):
    """What Django itself has; for the rest one takes psycopg's connection."""

    prepared = None  # pyright: ignore -- it has none of these
    copy = None  # pyright: ignore -- it has none of these
    hears = None  # pyright: ignore -- it has none of these

    async def session(self, **more):
        from django.db.utils import ConnectionHandler  # noqa: PLC0415 -- where the program of this driver runs
        from recipe_django import DATABASES  # noqa: PLC0415 -- where the program of this driver runs

        own = {**DATABASES["default"], "OPTIONS": {**DATABASES["default"]["OPTIONS"], **more}}
        return ConnectionHandler({"default": own})["default"]

    async def value(self, session, statement):
        def ask():
            with session.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchone()[0] if cursor.description else None

        return ask()

    async def close(self, session):
        session.close()


async def told(answer: Callable[[], Awaitable[object]]) -> str:
    try:
        return str(await answer())
    except Exception as error:
        return str(error)


async def main() -> None:
    driver = {"psycopg": ByPsycopg, "asyncpg": ByAsyncpg, "django": ByDjango}[DRIVER]()
    if DRIVER == "django":
        recipes.set_up_django()

    async def after(statement: str, question: str) -> object:
        first = await driver.session()
        await driver.value(first, statement)
        await driver.close(first)
        second = await driver.session()
        answer = await driver.value(second, question)
        await driver.close(second)
        return answer

    async def prepared() -> int:
        use = await driver.prepared()
        return sum([await use(number) == number + 1 for number in range(10)])

    async def search_path() -> object:
        session = await driver.search_path()
        answer = await driver.value(session, "show search_path")
        await driver.close(session)
        return answer

    async def copy() -> object:
        session = await driver.session()
        await driver.value(session, "delete from copied")
        await driver.copy(session)
        answer = await driver.value(session, "select count(*) from copied")
        await driver.close(session)
        return answer

    async def listen() -> bool:
        session = await driver.session()
        await driver.value(session, "listen news")
        sender = await driver.session()
        await driver.value(sender, NEWS)
        heard = await driver.hears(session)
        await driver.close(sender)
        await driver.close(session)
        return heard

    found = {
        "searchPath": search_path,
        "set": lambda: after("set statement_timeout = 1234", "show statement_timeout"),
        "temporaryTables": lambda: after(
            "create temporary table mine (id int)",
            "select count(*) from pg_class where relname = 'mine' and pg_table_is_visible(oid)",
        ),
        "advisoryLocks": lambda: after(
            "select pg_advisory_lock(7)",
            "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
        ),
        **({"prepared": prepared} if driver.prepared else {}),
        **({"copy": copy} if driver.copy else {}),
        **({"listen": listen} if driver.hears else {}),
    }
    print(json.dumps({name: await told(answer) for name, answer in found.items()}))


asyncio.run(main())
