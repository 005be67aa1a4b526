import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { from } from "pg-copy-streams";
import { pool } from "./recipes/node-pg.js";
import type { Driver } from "./driver";

export const config = {
  connectionString: process.env.DATABASE_URL ?? "",
  ssl: { ca: readFileSync(process.env.PGSSLROOTCERT ?? "", "utf8") },
};

async function connected(more: pg.ClientConfig = {}): Promise<pg.Client> {
  const client = new pg.Client({ ...config, ...more });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

const valueOf = ({ rows }: pg.QueryResult<Record<string, unknown>>): unknown =>
  Object.values(rows[0] ?? {})[0];

/** It has means to cancel that its types leave out. */
type Canceller = pg.Client & { cancel(target: pg.Client, query: unknown): void };
type Sender = pg.Client & { query(query: unknown): void };

export const nodePg: Driver = {
  write: (row) => pool.query("insert into written values ($1)", [row]),
  read: () => pool.query({ name: "changing", text: "select * from changing" }),
  session: async () => {
    const client = await connected();
    return {
      value: async (statement) => valueOf(await client.query<Record<string, unknown>>(statement)),
      close: () => client.end(),
    };
  },
  prepared: async () => {
    const client = await connected();
    return async (number) => {
      const query = { name: "add", text: "select $1::int + 1", values: [number] };
      return Number(valueOf(await client.query<Record<string, unknown>>(query)));
    };
  },
  searchPath: async (path) => {
    const client = await connected({ options: `-c search_path=${path}` });
    const value = valueOf(await client.query<Record<string, unknown>>("show search_path"));
    await client.end();
    return value;
  },
  hears: async (channel, send) => {
    const client = await connected();
    let heard = false;
    client.on("notification", () => (heard = true));
    await client.query(`listen ${channel}`);
    await send();
    // Its own answer comes behind what was sent before.
    for (let tries = 0; tries < 20 && !heard; tries++) {
      await client.query("select 1");
      await delay(50);
    }
    await client.end();
    return heard;
  },
  copy: async (rows) => {
    const client = await connected();
    await pipeline(
      Readable.from(rows.map((row) => `${row}\n`)),
      client.query(from("copy copied from stdin")),
    );
    await client.end();
  },
  cancelled: async (statement, patienceMs) => {
    const client = await connected();
    const query = new pg.Query(statement);
    const ended = new Promise<string>((resolve) => {
      query.on("error", (error) => resolve(String((error as { code?: string }).code)));
      query.on("end", () => resolve("it ran to its end"));
    });
    const begun = new Promise<void>((resolve) => client.on("notice", () => resolve()));
    (client as Sender).query(query);
    await begun;
    const other = new pg.Client(config) as Canceller;
    other.on("error", () => undefined);
    other.cancel(client, query);
    const code = await Promise.race([ended, delay(patienceMs, "it ran on")]);
    await client.end();
    return code === "57014";
  },
};
