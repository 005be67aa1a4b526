/** Security context of a container that needs no right of its own, and writes to its volumes alone. */
export const hardened = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};
