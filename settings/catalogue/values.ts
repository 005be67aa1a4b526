import type { Parameter } from "./table";

const memory: Readonly<Record<string, number>> = {
  B: 1,
  kB: 2 ** 10,
  "8kB": 2 ** 13,
  MB: 2 ** 20,
  GB: 2 ** 30,
  TB: 2 ** 40,
};
const time: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1e3,
  s: 1e6,
  min: 60e6,
  h: 3600e6,
  d: 86400e6,
};

/** A value of the settings as it is written in postgresql.conf. */
export const parameterText = (value: string | number | boolean): string =>
  typeof value === "boolean" ? (value ? "on" : "off") : String(value);

/** The units that may follow a number of the parameter. */
function unitsOf({ unit }: Pick<Parameter, "unit">): Readonly<Record<string, number>> {
  if (unit === undefined) return {};
  return unit in memory ? memory : time;
}

/** A leading zero is refused: PostgreSQL reads it as octal, which is a mistake here. */
const number =
  /^\s*([+-]?(?:0x[0-9a-f]+|(?:0|[1-9]\d*)(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?))\s*([a-z]*)\s*$/i;

/** Rounds halves to the even neighbour, as C does. */
const toEven = (amount: number): number => {
  const rounded = Math.round(amount);
  return rounded - amount === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
};

/** The amount that a text stands for, in the parameter's unit as the server rounds it; undefined when it is none. */
export function amountOf(parameter: Pick<Parameter, "type" | "unit">, text: string): number | undefined {
  const match = number.exec(text);
  if (!match) return undefined;
  const [, digits = "", unit = ""] = match;
  const units = unitsOf(parameter);
  const factor = unit === "" ? 1 : (units[unit] ?? NaN) / (units[parameter.unit ?? ""] ?? NaN);
  const sign = digits.startsWith("-") ? -1 : 1;
  const amount = sign * Number(digits.replace(/^[+-]/, "")) * factor;
  if (Number.isNaN(amount)) return undefined;
  return parameter.type === "integer" ? toEven(amount) : amount;
}

/** Bytes that a text stands for, as the value of a parameter that is an amount of memory; undefined when it is none. */
export function bytesOf(parameter: Pick<Parameter, "type" | "unit">, text: string): number | undefined {
  const amount = amountOf(parameter, text);
  const unit = memory[parameter.unit ?? ""];
  return amount === undefined || unit === undefined ? undefined : amount * unit;
}

const spellings = ["on", "off", "true", "false", "yes", "no", "1", "0"];

/** PostgreSQL takes any case, and the beginning of a word as long as it is clear which one; undefined for what is none. */
export function booleanOf(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  if (word === "" || word === "o") return undefined;
  const spelling = spellings.find((one) => one.startsWith(word));
  return spelling === undefined ? undefined : ["on", "true", "yes", "1"].includes(spelling);
}

const isBoolean = (text: string): boolean => booleanOf(text) !== undefined;

/** The values that the parameter may have, as a message writes them after "Allowed:". */
export function allowedOf(parameter: Parameter): string {
  const { type, unit, least = -Infinity, most = Infinity, values } = parameter;
  if (type === "bool") return "on or off";
  if (type === "enum") return values.join(", ");
  if (type === "string") return "a text";
  const what =
    unit === undefined
      ? type === "integer"
        ? "a whole number"
        : "a number"
      : unit in memory
        ? "an amount of memory"
        : "a time";
  // The largest number of its type is no limit worth naming.
  const range = most > 1e300 ? `of at least ${least}` : `from ${least} to ${most}`;
  if (unit === undefined) return `${what} ${range}`;
  return unit === "8kB"
    ? `${what} ${range} blocks of 8kB, which a bare number counts`
    : `${what} ${range} ${unit}, which a bare number counts`;
}

/** Why the server wouldn't take the text as the parameter's value, and the fix; undefined when it would. */
export function wrong(
  parameter: Parameter,
  text: string,
): { readonly allowed: string; readonly fix: string } | undefined {
  const { type, least = -Infinity, most = Infinity, values } = parameter;
  const allowed = allowedOf(parameter);
  switch (type) {
    case "string":
      return undefined;
    case "bool":
      return isBoolean(text) ? undefined : { allowed, fix: "set true or false" };
    case "enum":
      return values.some((value) => value.toLowerCase() === text.toLowerCase())
        ? undefined
        : { allowed, fix: "choose an allowed value" };
    default: {
      const amount = amountOf(parameter, text);
      const units = Object.keys(unitsOf(parameter)).filter((unit) => unit !== "8kB");
      if (amount === undefined)
        return {
          allowed,
          fix:
            units.length === 0
              ? "write a bare number"
              : `write a number, and one of ${units.join(", ")} after it`,
        };
      return amount < least || amount > most
        ? { allowed, fix: "choose a value within the limits" }
        : undefined;
    }
  }
}

/** The seconds that a text stands for, as the server reads archive_timeout: a bare number counts seconds. */
export const secondsOf = (text: string): number | undefined => amountOf({ type: "integer", unit: "s" }, text);
