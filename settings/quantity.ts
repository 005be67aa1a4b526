/** Kubernetes quantities, as far as settings need them. */

const binary: Record<string, number> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };
const decimal: Record<string, number> = { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** Bytes of a quantity such as `512Mi` or `2G`; undefined when it isn't one. */
export function bytesOf(quantity: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|k|M|G|T|)$/.exec(quantity);
  if (!match) return undefined;
  const unit = match[2] ?? "";
  return Math.round(Number(match[1]) * (binary[unit] ?? decimal[unit] ?? 1));
}

const any: Record<string, number> = {
  ...decimal,
  ...binary,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  P: 1e15,
  E: 1e18,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The same of all that Kubernetes takes, as objects of others have it: `1e9`, `.5Gi`, `1Pi`, `2147483648000m`. */
export function bytesInKubernetes(quantity: string): number | undefined {
  const [, number, suffix = ""] =
    /^([+-]?(?:\d+\.?\d*|\.\d+))([numkMGTPE]?|[KMGTPE]i|[eE][+-]?\d+)$/.exec(quantity) ?? [];
  return number === undefined
    ? undefined
    : Math.round(Number(number) * (any[suffix] ?? Number(`1${suffix}`)));
}

/** Thousandths of a core of a quantity such as `200m`, `2` or `0.5`; undefined when it isn't one. */
export function milliCoresOf(quantity: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(m|)$/.exec(quantity);
  if (!match) return undefined;
  return match[2] === "m" ? Number(match[1]) : Math.round(Number(match[1]) * 1000);
}

const MiB = 2 ** 20;

/** A number of bytes as PostgreSQL writes it, rounded down to whole mebibytes, or to kibibytes below ten of them. */
export const postgresMemory = (bytes: number): string =>
  bytes >= 10 * MiB ? `${Math.floor(bytes / MiB)}MB` : `${Math.max(1, Math.floor(bytes / 1024))}kB`;
