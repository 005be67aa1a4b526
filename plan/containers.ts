/** Security context of a container that needs no right of its own, and writes to its volumes alone. */
export const hardened = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

/** Variables of a container, as Kubernetes lists them. */
export const environment = (
  values: Readonly<Record<string, string>>,
): { readonly name: string; readonly value: string }[] =>
  Object.entries(values).map(([name, value]) => ({ name, value }));
