/** Stacks whose resource graphs are kept. */
export const stacks = ["local", "cnpg", "dev", "prod", "standalone"] as const;
