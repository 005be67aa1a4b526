"""What a session gets of what it asks for at its start, and what it finds of others' sessions."""

# The drivers are the suite's own and unknown to the checker.
# pyright: basic, reportMissingImports=false

import asyncio
import json

import asyncpg
import psycopg


async def started(name: str, value: str) -> str:
    """Asks for a parameter at the start; its value in a later transaction, or that the start was refused."""
    try:
        connection = await asyncpg.connect(server_settings={name: value})
    except asyncpg.PostgresError as error:
        return "refused" if "unsupported startup parameter" in str(error) else str(error)
    try:
        await connection.execute("select 1")
        return await connection.fetchval(f"show {name}")
    finally:
        await connection.close()


async def options() -> str:
    try:
        async with await psycopg.AsyncConnection.connect(
            options="-c statement_timeout=4321", autocommit=True
        ) as connection:
            return (await (await connection.execute("show statement_timeout")).fetchone())[0]
    except psycopg.OperationalError as error:
        return "refused" if "unsupported startup parameter" in str(error) else str(error)


async def after(statement: str, question: str) -> str:
    """One session says something and ends; what the next one finds."""
    async with await psycopg.AsyncConnection.connect(autocommit=True) as connection:
        await connection.execute(statement)
    async with await psycopg.AsyncConnection.connect(autocommit=True) as connection:
        return str((await (await connection.execute(question)).fetchone())[0])


async def prepared() -> int:
    """Statements that a session can use again in its later transactions."""
    connection = await asyncpg.connect()
    statement = await connection.prepare("select $1::int + 1")
    answers = [await statement.fetchval(number) for number in range(10)]
    await connection.close()
    return sum(answer == number + 1 for number, answer in enumerate(answers))


async def main() -> None:
    print(
        json.dumps(
            {
                "application_name": await started("application_name", "shop"),
                "extra_float_digits": await started("extra_float_digits", "0"),
                "IntervalStyle": await started("IntervalStyle", "iso_8601"),
                "default_transaction_read_only": await started("default_transaction_read_only", "on"),
                "search_path": await started("search_path", "pg_catalog"),
                "statement_timeout": await started("statement_timeout", "4321"),
                "options": await options(),
                "SET of another": await after("set statement_timeout = 1234", "show statement_timeout"),
                "temporary table of another": await after(
                    "create temporary table mine (id int)",
                    "select count(*) from pg_class where relname = 'mine'",
                ),
                "advisory lock of another": await after(
                    "select pg_advisory_lock(7)", "select count(*) from pg_locks where locktype = 'advisory'"
                ),
                "prepared again": await prepared(),
            }
        )
    )


asyncio.run(main())
