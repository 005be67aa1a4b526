/** The rounds of a measurement: every arm once in each round, so that what disturbs the machine disturbs all of them. */
export interface Rounds<Round> {
  /** The first round: it warms caches up and doesn't count. */
  warmUp: Round;
  counted: Round[];
}

/** Runs the arms in turn (A B C, A B C, …), one round more than asked for; a failing arm ends everything. */
export async function interleave<Round extends object>(
  arms: { readonly [Arm in keyof Round]: (round: number) => Promise<Round[Arm]> },
  rounds: number,
  after: (round: number, samples: Round) => void = () => undefined,
): Promise<Rounds<Round>> {
  const all: Round[] = [];
  for (let round = 0; round <= rounds; round++) {
    const samples: Partial<Round> = {};
    for (const arm of Object.keys(arms) as (keyof Round)[]) samples[arm] = await arms[arm](round);
    all.push(samples as Round);
    after(round, samples as Round);
  }
  const [warmUp, ...counted] = all;
  if (warmUp === undefined) throw new Error("no round was measured");
  return { warmUp, counted };
}

export const roundName = (round: number, rounds: number): string =>
  round === 0 ? "warm-up" : `${round} of ${rounds}`;
