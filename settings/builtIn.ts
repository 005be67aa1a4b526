/** Where the API server of the built-in cluster listens: the cluster is made so, and its instances may talk to it. */
export const builtInApi = { address: "198.18.250.1", port: 6443 } as const;
