/**
 * Prices that are publicly known, each with the month in which it was read. They are list prices without a discount; another region costs up to twice as much. A storage class may
 * have any name: those here are the names that the provider's own clusters, or its driver's documentation, give it.
 */
export interface Price {
  readonly provider: string;
  /** US dollars for a month. */
  readonly usd: number;
  /** Bytes that they are for. */
  readonly per: number;
  /** Year and month. */
  readonly asOf: string;
  readonly where: string;
}

const GiB = 2 ** 30;
const GB = 1e9;

const aws = { provider: "AWS", per: GiB, where: "us-east-1" } as const;

/** By the name of the storage class. */
export const volumePrices: Readonly<Record<string, Price>> = {
  gp2: { ...aws, usd: 0.1, asOf: "2026-02" },
  gp3: { ...aws, usd: 0.08, asOf: "2026-02" },
};

/** By the kind of the target. */
export const storePrices: Readonly<Record<string, Price>> = {
  aws: { ...aws, usd: 0.023, asOf: "2026-04" },
  r2: { provider: "Cloudflare", usd: 0.015, per: GB, asOf: "2026-04", where: "everywhere" },
  b2: { provider: "Backblaze", usd: 0.006, per: GB, asOf: "2026-04", where: "everywhere" },
};
