/** Labels by which a namespace asks Kubernetes' Pod Security of its pods: `restricted` where all of them can fulfil it. */
export const podSecurity = (restricted: boolean): Record<string, string> =>
  Object.fromEntries(
    ["enforce", "audit", "warn"].map((mode) => [
      `pod-security.kubernetes.io/${mode}`,
      restricted ? "restricted" : "baseline",
    ]),
  );
