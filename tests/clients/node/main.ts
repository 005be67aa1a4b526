import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Driver } from "./driver";

/** Arguments: what to do, the driver, and what that takes. It prints a line of JSON. */

/** Between two writes of a worker. */
const PAUSE_MS = 50;
const [what = "", name = "", count = "1"] = process.argv.slice(2);
const over = new Promise<void>((resolve) =>
  process.stdin.resume().once("end", resolve).once("error", resolve),
);
let ended = false;
void over.then(() => (ended = true));

const drivers: Record<string, () => Promise<Driver>> = {
  "node-pg": async () => (await import("./nodePg")).nodePg,
  drizzle: async () => (await import("./orms")).ofDrizzle,
  prisma: async () => (await import("./orms")).ofPrisma,
};

function sentence(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return `${code ?? ""} ${(message ?? "").trim().split("\n").at(-1) ?? ""}`.trim();
}

async function pooled(driver: Driver): Promise<object> {
  const acknowledged: string[] = [];
  const moments: number[] = [];
  const errors: Record<string, number> = {};
  const worker = async () => {
    while (!ended) {
      const row = `${process.env.CLIENT ?? name}:${randomUUID()}`;
      try {
        await driver.write(row);
        if (acknowledged.push(row) === 1) console.log("it writes");
        moments.push(Date.now());
        await delay(PAUSE_MS);
      } catch (error) {
        const text = sentence(error);
        errors[text] = (errors[text] ?? 0) + 1;
        await delay(50);
      }
    }
  };
  const work = Array.from({ length: Number(count) }, worker);
  await over;
  await Promise.race([Promise.all(work), delay(10_000)]);
  moments.push(Date.now());
  const gaps = moments.slice(1).map((moment, index) => moment - (moments[index] ?? 0));
  return { acknowledged, errors, gap: Math.max(...gaps) / 1000 };
}

async function ddl(driver: Driver): Promise<object> {
  const failures: number[] = [];
  let reads = 0;
  const reader = async () => {
    while (!ended) {
      await driver.read().then(
        () => reads++,
        () => failures.push(Date.now() / 1000),
      );
      await delay(50);
    }
  };
  await Promise.all(Array.from({ length: 4 }, reader));
  return { failures, reads };
}

async function after(driver: Driver, statement: string, question: string): Promise<string> {
  const first = await driver.session();
  await first.value(statement);
  await first.close();
  const second = await driver.session();
  const answer = String(await second.value(question));
  await second.close();
  return answer;
}

/** What it tells, or the error. */
const told = async (answer: () => Promise<unknown>): Promise<string> => {
  try {
    return String(await answer());
  } catch (error) {
    return sentence(error);
  }
};

async function features(driver: Driver): Promise<object> {
  const found: Record<string, string> = {};
  const { prepared, searchPath, hears, copy } = driver;
  if (prepared)
    found.prepared = await told(async () => {
      const use = await prepared();
      const answers: number[] = [];
      for (let number = 0; number < 10; number++) answers.push(await use(number));
      return answers.filter((answer, number) => answer === number + 1).length;
    });
  if (searchPath) found.searchPath = await told(() => searchPath("pg_catalog"));
  found.set = await told(() =>
    after(
      driver,
      "select set_config('statement_timeout', '1234', false)",
      "select current_setting('statement_timeout')",
    ),
  );
  found.temporaryTables = await told(() =>
    after(
      driver,
      "create temporary table mine as select 1 as id",
      "select count(*)::int from pg_class where relname = 'mine' and pg_table_is_visible(oid)",
    ),
  );
  found.advisoryLocks = await told(() =>
    after(
      driver,
      "select pg_advisory_lock(7)::text",
      "select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
    ),
  );
  if (copy)
    found.copy = await told(async () => {
      const session = await driver.session();
      await session.value("delete from copied");
      await copy(["one", "two", "three"]);
      const rows = await session.value("select count(*)::int from copied");
      await session.close();
      return rows;
    });
  if (hears)
    found.listen = await told(async () => {
      const sender = await driver.session();
      const heard = await hears("news", () => sender.value("select pg_notify('news', 'one')::text"));
      await sender.close();
      return heard;
    });
  return found;
}

async function cancels({ cancelled }: Driver): Promise<object> {
  if (cancelled === undefined) throw new Error(`${name} has no means to cancel`);
  const statement = "do $$ begin raise notice 'it runs'; perform pg_sleep(120); end $$";
  let left = Number(count);
  let done = 0;
  const worker = async () => {
    while (left-- > 0) if (await cancelled(statement, 20_000)) done++;
  };
  await Promise.all(Array.from({ length: 10 }, worker));
  return { cancelled: done, lost: Number(count) - done };
}

async function main(): Promise<void> {
  const driver = await drivers[name]?.();
  const act = { pooled, ddl, features, cancels }[what];
  if (driver === undefined || act === undefined) throw new Error(`unknown: ${what} ${name}`);
  // Who still waits must not keep it, and all of a long line must have gone.
  process.stdout.write(
    `${JSON.stringify(await act(driver))}
`,
    () => process.exit(0),
  );
}

void main();
