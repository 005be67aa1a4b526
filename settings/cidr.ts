/** Ranges of addresses: what stands behind the prefix of one. */

/** The 16-bit groups of an address; those of IPv4 are two. */
function groupsOf(address: string): number[] {
  if (!address.includes(":")) {
    const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  }
  const words = (part: string | undefined): number[] =>
    (part ?? "")
      .split(":")
      .filter((word) => word !== "")
      .flatMap((word) => (word.includes(".") ? groupsOf(word) : [parseInt(word, 16)]));
  const [before, after] = address.split("::");
  const [first, last] = [words(before), words(after)];
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}

/** The groups as an address is written; the longest row of zeros at the end is shortened. */
function written(groups: readonly number[]): string {
  if (groups.length === 2) return groups.flatMap((group) => [group >> 8, group & 255]).join(".");
  const text = groups.map((group) => group.toString(16)).join(":");
  return text.replace(/(:0)+$/, "::").replace(/^0::$/, "::");
}

/** The range that is meant by one whose address has bits behind the prefix; undefined for one that has none. */
export function strayBits(range: string): string | undefined {
  const [address = "", length = ""] = range.split("/");
  const groups = groupsOf(address);
  const masked = groups.map((group, index) => {
    const kept = Math.min(16, Math.max(0, Number(length) - index * 16));
    return group & ((0xffff << (16 - kept)) & 0xffff);
  });
  return masked.every((group, index) => group === groups[index]) ? undefined : `${written(masked)}/${length}`;
}

/** Whether a range is wider than the widest private one of its family. */
export function isWide(range: string): boolean {
  const [address = "", length = ""] = range.split("/");
  return Number(length) < (address.includes(":") ? 7 : 8);
}
