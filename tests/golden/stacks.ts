/** Stacks whose resource graphs are kept. */
export const stacks = ["local", "cnpg", "standalone"] as const;
