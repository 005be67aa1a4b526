/** One step of Prometheus' relabeling, once for the two ways of writing it. */
export interface Relabel {
  readonly from?: readonly string[];
  /** What the joined values of `from` must be as a whole; of the names of labels with `labeldrop`. */
  readonly regex?: string;
  readonly to?: string;
  readonly replacement?: string;
  readonly action?: "keep" | "drop" | "labeldrop";
}

/** As a Prometheus' own configuration has it. */
export const inPrometheus = ({ from, regex, to, replacement, action }: Relabel) => ({
  ...(from && { source_labels: from }),
  ...(regex !== undefined && { regex }),
  ...(to !== undefined && { target_label: to }),
  ...(replacement !== undefined && { replacement }),
  ...(action && { action }),
});

/** As a monitor of the Prometheus Operator has it. */
export const inMonitor = ({ from, regex, to, replacement, action }: Relabel) => ({
  ...(from && { sourceLabels: from }),
  ...(regex !== undefined && { regex }),
  ...(to !== undefined && { targetLabel: to }),
  ...(replacement !== undefined && { replacement }),
  ...(action && { action }),
});

/** The label under which Prometheus finds a pod's label. */
export const podLabel = (key: string): string =>
  `__meta_kubernetes_pod_label_${key.replaceAll(/[^A-Za-z0-9_]/g, "_")}`;

/** A text as a regular expression that it alone matches. */
export const literally = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

export const set = (to: string, replacement: string): Relabel => ({ to, replacement });
export const copy = (from: string, to: string): Relabel => ({ from: [from], to });
export const keepOnly = (from: string, values: readonly string[]): Relabel => ({
  from: [from],
  regex: values.join("|"),
  action: "keep",
});
export const renamed = (name: string, to: string): Relabel => ({
  from: ["__name__"],
  regex: literally(name),
  to: "__name__",
  replacement: to,
});
export const without = (labels: readonly string[]): Relabel => ({
  regex: labels.join("|"),
  action: "labeldrop",
});
