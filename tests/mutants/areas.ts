import { readdirSync } from "node:fs";
import { join } from "node:path";

/** A part of the code, and the tests that are to notice its changes; the fewer tests, the faster is each mutant. */
export interface Area {
  readonly mutate: readonly string[];
  /** Names of test files below `tests`, without `.test.ts`; a `*` at the end stands for any ending. */
  readonly tests: readonly string[];
}

const unit = (...names: readonly string[]) => names.map((name) => `unit/${name}`);
const plans = ["golden/graph", ...unit("plan", "contract", "engines", "backup", "login-check")];

export const areas: Readonly<Record<string, Area>> = {
  policy: { mutate: ["policy/**/*.ts"], tests: ["policy/unit/*"] },
  checks: {
    mutate: ["checks/**/*.ts"],
    tests: unit(
      ...[
        "check",
        "bounds",
        "settings-*",
        "contract",
        "schema",
        "catalogue",
        "sums",
        "rotation",
        "secrets*",
        "bindings",
      ],
      ...["backup", "backup-role", "standalone", "standalone-backup", "zalando", "zalando-backup"],
    ).concat("programs/buckets"),
  },
  settings: {
    mutate: ["settings/**/*.ts"],
    tests: unit(
      ...[
        "check",
        "bounds",
        "reserves",
        "settings-*",
        "contract",
        "schema",
        "catalogue",
        "cron",
        "sums",
        "reference",
      ],
      ...["engines", "backup", "stackFiles"],
    ),
  },
  plan: {
    mutate: ["plan/*.ts", "plan/postgres/**/*.ts", "plan/pooler/**/*.ts", "plan/secrets/**/*.ts"],
    tests: [
      ...plans,
      ...unit("network", "bindings", "platform", "rotation", "certificates", "pooler", "settings-poolers"),
      ...unit("secrets*"),
      ...unit("settings-databases", "sql", "register"),
      ...["readers", "objects", "stacks", "clusters"].map((name) => `policy/unit/${name}`),
    ],
  },
  backup: {
    mutate: ["plan/backup/**/*.ts"],
    tests: [
      ...plans,
      ...unit("backup-*", "watch", "forget", "standalone-backup", "zalando-backup"),
      "programs/buckets",
    ],
  },
  cnpg: {
    mutate: ["plan/engines/*.ts", "plan/engines/cnpg/**/*.ts"],
    tests: [...plans, ...unit("settings-*", "sql", "webhooks", "rotation"), "policy/unit/*"],
  },
  zalando: {
    mutate: ["plan/engines/zalando/**/*.ts"],
    tests: [...plans, ...unit("zalando*", "sql", "rotation"), "policy/unit/engineBackups"],
  },
  standalone: {
    mutate: ["plan/engines/standalone/**/*.ts"],
    tests: [
      ...plans,
      ...unit("standalone", "standalone-backup", "sql", "rotation"),
      "policy/unit/engineBackups",
      "policy/unit/standalone",
    ],
  },
};

/** The test files of an area. */
export function testFilesOf({ tests }: Area): string[] {
  const found = tests.flatMap((name) => {
    const slash = name.lastIndexOf("/");
    const folder = join("tests", name.slice(0, slash));
    const wanted = name.slice(slash + 1);
    const files = readdirSync(folder).filter((file) =>
      wanted.endsWith("*")
        ? file.startsWith(wanted.slice(0, -1)) && file.endsWith(".test.ts")
        : file === `${wanted}.test.ts`,
    );
    if (files.length === 0) throw new Error(`there is no test ${name}`);
    return files.map((file) => join(folder, file));
  });
  return [...new Set(found)];
}
