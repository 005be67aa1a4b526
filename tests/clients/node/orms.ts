import { PrismaPg } from "@prisma/adapter-pg";
import { sql } from "drizzle-orm";
import { pgTable, text } from "drizzle-orm/pg-core";
import { drizzle } from "drizzle-orm/node-postgres";
import pg from "pg";
import { db } from "./recipes/drizzle.js";
import { PrismaClient } from "./recipes/generated/client";
import { prisma } from "./recipes/prisma.js";
import type { Driver } from "./driver";
import { config } from "./nodePg";

const firstOf = (rows: readonly unknown[]): unknown => Object.values((rows[0] ?? {}) as object)[0];

const written = pgTable("written", { row: text("row").primaryKey() });

export const ofDrizzle: Driver = {
  write: (row) => db.insert(written).values({ row }),
  read: () => db.execute(sql`select * from changing`),
  session: async () => {
    const client = new pg.Client(config);
    await client.connect();
    const own = drizzle({ client });
    return {
      value: async (statement) => firstOf((await own.execute(sql.raw(statement))).rows),
      close: () => client.end(),
    };
  },
  prepared: async () => {
    const client = new pg.Client(config);
    await client.connect();
    const statement = drizzle({ client })
      .select({ sum: sql<number>`${sql.placeholder("number")}::int + 1` })
      .from(sql`(select 1) as one`)
      .prepare("add");
    return async (number) => Number((await statement.execute({ number }))[0]?.sum);
  },
};

export const ofPrisma: Driver = {
  write: (row) => prisma.written.create({ data: { row } }),
  read: () => prisma.$queryRaw`select * from changing`,
  session: () => {
    const own = new PrismaClient({ adapter: new PrismaPg({ ...config, max: 1 }) });
    return Promise.resolve({
      // It can't read a row of a function without a value.
      value: async (statement) => firstOf(await own.$queryRawUnsafe<unknown[]>(statement)),
      close: () => own.$disconnect(),
    });
  },
  prepared: () => {
    const named = new PrismaPg({ ...config, max: 1 }, { statementNameGenerator: () => "add" });
    const own = new PrismaClient({ adapter: named });
    return Promise.resolve(async (number) =>
      Number(firstOf(await own.$queryRaw<unknown[]>`select ${number}::int + 1`)),
    );
  },
};
