import { join } from "node:path";

/** The folder that `pulumi --policy-pack` takes. */
export const packFolder = __dirname;

/** What makes `pulumi preview` and `pulumi up` hold a stack to the pack, as strictly as its tier asks. */
export const packArguments = (tier: "dev" | "prod"): string[] => [
  "--policy-pack",
  packFolder,
  "--policy-pack-config",
  join(packFolder, `${tier}.json`),
];
