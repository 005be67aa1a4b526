import * as z from "zod";
import { strayBits } from "../cidr";
import { fires, hasForm } from "../cron";

/** The kinds of values that settings have, each with its words; the schema is made of them. */

interface Documented {
  /** Meaning, unit and default. */
  means: string;
  /** What a change does to a running platform. */
  change: string;
  /** What is allowed; a message and the reference write it after "Allowed:". */
  allowed: string;
  /** What to do about a wrong value. @default - choose an allowed value */
  fix?: string;
  /** Digits of a number that stand for this text. @default - whole numbers */
  numbers?: RegExp;
  /** Whether it stands in stack files as Pulumi has encrypted it. @default false */
  secret?: true;
}

/** No number stands for the text: zeros at its beginning or end would be lost before it is read. */
export const quoted = /^(?!)/;

/** What is wrong with one value, where the setting's own words would not say it. */
export interface Objection {
  readonly allowed: string;
  readonly fix: string;
}

/** Refuses what `objection` finds fault with, in its words. */
export const objecting = <T extends z.ZodType<string>>(
  schema: T,
  objection: (text: string) => Objection | undefined,
) =>
  schema.superRefine((text, context) => {
    // What has another form altogether is said to have it, and no more.
    const params = context.issues.length > 0 ? undefined : objection(text);
    if (params) context.addIssue({ code: "custom", params: { ...params } });
  });

export const documented = <T extends z.ZodType>(
  schema: T,
  { means, change, allowed, fix, numbers, secret }: Documented,
): T =>
  schema.meta({
    description: `${means} Allowed: ${allowed}. ${change}`,
    means,
    change,
    allowed,
    fix: fix ?? "choose an allowed value",
    ...(numbers && { numbers }),
    ...(secret && { secret }),
  });

const replaces = "A change makes new objects beside the old ones and leaves the data behind.";
export const rolls = "A change restarts the instances one after another, the primary last, by a switchover.";
export const rollsPooler = "A change rolls the pooler's pods; sessions are drained.";
export const atOnce = "A change takes effect at once and restarts nothing.";

/** A port, as it stands in an address. */
export const port = "([1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])";

/** Stands for a text that Pulumi has encrypted, where it can't be decrypted. */
export const encrypted = "(encrypted)";

const labelPattern = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const labelAllowed =
  "a DNS label: lower-case letters, digits and hyphens, first a letter, not ending in a hyphen";
export const label = (means: string, longest = 63, change = replaces) =>
  documented(z.string().regex(labelPattern).max(longest), {
    means,
    change,
    allowed: `${labelAllowed}, at most ${longest} characters`,
    fix: "rename it",
  });

export const sqlName = (means: string, change: string) =>
  documented(z.string().regex(/^(?!.*_$)[a-z_][a-z0-9_]{0,62}$/), {
    means,
    change,
    allowed:
      "a PostgreSQL name: lower-case letters, digits and underscores, first no digit, last no underscore, at most 63 characters",
    fix: "rename it",
  });

export const quantity = (means: string, change: string, example: string) =>
  documented(z.string().regex(/^\d+(\.\d+)?(Ki|Mi|Gi|Ti|k|M|G|T|)$/), {
    means,
    change,
    allowed: `a Kubernetes quantity of bytes such as ${example}`,
    fix: `write a number and a unit, such as ${example}`,
  });

export const cores = (means: string, change: string) =>
  documented(z.string().regex(/^\d+(\.\d+)?m?$/), {
    means,
    change,
    allowed: "a quantity of cores such as 200m or 2",
    fix: "write thousandths with an m, or whole cores, such as 200m or 2",
    numbers: /^\d+(\.\d+)?$/,
  });

export const integer = (means: string, from: number, to: number, change: string, unit = "") =>
  documented(z.int().min(from).max(to), {
    means,
    change,
    allowed: `a whole number${unit === "" ? "" : ` of ${unit}`} from ${from} to ${to}`,
  });

export const boolean = (means: string, change: string) =>
  documented(z.boolean(), { means, change, allowed: "true or false" });

export const oneOf = <const T extends readonly [string, ...string[]]>(
  values: T,
  means: string,
  change: string,
) => documented(z.enum(values), { means, change, allowed: values.join(", ") });

const labelName = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?";
const labelPrefix = "(?=[^/]{1,253}/)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/";
/** Keys and values that Kubernetes takes for labels. */
export const labelKey = z
  .string()
  .regex(new RegExp(`^(${labelPrefix})?${labelName}$`))
  .meta({
    allowed:
      "keys of at most 63 letters, digits, hyphens, dots and underscores, first and last a letter or digit, with or without a prefix such as example.com/",
    fix: "use a key such as team or example.com/team",
  });
export const labelValue = z
  .string()
  .regex(new RegExp(`^(${labelName})?$`))
  .meta({
    allowed:
      "a text of at most 63 letters, digits, hyphens, dots and underscores, first and last a letter or digit",
    fix: "correct it, and write a value such as true in quotes",
  });

/** Whether a label's key is neither the platform's, nor an operator's, nor Kubernetes' own. */
export const isFreeLabel = (key: string): boolean =>
  key === "app.kubernetes.io/part-of" ||
  !/^([^/]+\.)?(pgplatform\.io|cnpg\.io|kubernetes\.io|k8s\.io)\//.test(key);

export const freeLabelKey = objecting(labelKey, (key) =>
  isFreeLabel(key)
    ? undefined
    : {
        allowed: "keys that are not the platform's, the operator's or Kubernetes' own",
        fix: "use a key such as team or example.com/team",
      },
);

export const labels = (means: string) =>
  documented(
    z.record(labelKey, labelValue).refine((value) => Object.keys(value).length > 0),
    {
      means,
      change: atOnce,
      allowed: "at least one label, as `key: value`",
      fix: "name the labels that the pods carry",
    },
  );

const network = objecting(z.union([z.cidrv4(), z.cidrv6()]), (text) => {
  const range = strayBits(text);
  const [address] = text.split("/");
  return range === undefined
    ? undefined
    : {
        allowed: `a range by its first address: ${range} has ${address} in it`,
        fix: `write ${range}, or ${address}/${text.includes(":") ? 128 : 32} for that address alone`,
      };
});

export const cidr = (means: string) =>
  documented(network, {
    means,
    change: atOnce,
    allowed: "an address range such as 192.0.2.10/32",
    fix: "write the address, a slash and the prefix length",
  });

/** A range of addresses, or `all`. */
export const addresses = (means: string) =>
  documented(z.union([z.literal("all"), network]), {
    means,
    change: atOnce,
    allowed: "all, or an address range such as 192.0.2.10/32",
    fix: "write the address, a slash and the prefix length",
  });

/** Tags that name another image tomorrow. */
const moving = /:latest$/;

// The name's parts are in lower case, and none is empty; a host is what has a dot or a port, or is localhost.
const part = "[a-z0-9]+((\\.|_{1,2}|-+)[a-z0-9]+)*";
const imageName = new RegExp(
  `^(([A-Za-z0-9][-A-Za-z0-9.]*(:${port})?/)?${part}(/${part})*)(:[\\w][\\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$`,
);

export const image = (means: string, change: string) =>
  documented(
    objecting(z.string().regex(imageName), (text) =>
      moving.test(text) || !/(:[\w][\w.-]*|@sha256:[0-9a-f]{64})$/.test(text.replace(/^.*\//, ""))
        ? {
            allowed:
              "an image whose name doesn't stand for another one tomorrow: with a tag, which isn't latest, or a digest",
            fix: "add the version that is meant as a tag, or the digest",
          }
        : undefined,
    ),
    {
      means,
      change,
      allowed: "the name of an image with tag or digest",
      fix: "write it as registry/name:tag",
    },
  ).optional();

export const schedule = (means: string, change = atOnce) =>
  documented(
    objecting(z.string().refine(hasForm), (text) =>
      fires(text)
        ? undefined
        : {
            allowed: "a schedule that fires: no month that it names has a day that it names",
            fix: "name a day that the month has",
          },
    ),
    {
      means,
      change,
      allowed: "cron's five fields (minute, hour, day, month, weekday 0 to 6), such as 0 2 * * *",
      fix: "write five fields in quotes; names of months and days, seconds, and @daily aren't taken",
    },
  );
