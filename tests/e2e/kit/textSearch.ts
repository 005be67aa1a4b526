/** Characters of a needle by which its places are found. */
const HEAD = 8;
const BASE = 0x01000193;
const TABLE_BITS = 20;

/**
 * Finds any of many words in long texts, in one pass over each: the hash of the last eight characters moves along (Rabin and Karp), and only where it
 * is one of a word's beginning the word itself is compared. Words have eight characters at least.
 */
export class TextSearch<T> {
  private readonly maybe = new Uint8Array(2 ** TABLE_BITS);
  private readonly byHash = new Map<number, string[]>();
  /** What the character that leaves the window counted for. */
  private readonly leaving: number;

  constructor(private readonly words: ReadonlyMap<string, T>) {
    let power = 1;
    for (let step = 1; step < HEAD; step++) power = Math.imul(power, BASE);
    this.leaving = power;
    for (const word of words.keys()) {
      if (word.length < HEAD) throw new Error(`a word of ${word.length} characters can't be searched for`);
      let hash = 0;
      for (let at = 0; at < HEAD; at++) hash = (Math.imul(hash, BASE) + word.charCodeAt(at)) | 0;
      this.maybe[hash >>> (32 - TABLE_BITS)] = 1;
      const same = this.byHash.get(hash);
      if (same === undefined) this.byHash.set(hash, [word]);
      else same.push(word);
    }
  }

  get size(): number {
    return this.words.size;
  }

  /** Each word that a text has, once, with where it begins first. */
  private places(text: string): Map<string, number> {
    const found = new Map<string, number>();
    let hash = 0;
    for (let end = 0; end < text.length; end++) {
      if (end >= HEAD) hash = (hash - Math.imul(text.charCodeAt(end - HEAD), this.leaving)) | 0;
      hash = (Math.imul(hash, BASE) + text.charCodeAt(end)) | 0;
      if (end < HEAD - 1 || this.maybe[hash >>> (32 - TABLE_BITS)] === 0) continue;
      const start = end - HEAD + 1;
      for (const word of this.byHash.get(hash) ?? [])
        if (!found.has(word) && text.startsWith(word, start)) found.set(word, start);
    }
    return found;
  }

  /** What stands beside each word that a text has, once. */
  found(text: string): T[] {
    return [...this.places(text).keys()].flatMap((word) => this.words.get(word) ?? []);
  }

  /** A text in which something else stands for each of these words, longer ones first. */
  replaced(text: string, by: string): string {
    const words = [...this.places(text).keys()].sort((one, other) => other.length - one.length);
    return words.reduce((rest, word) => rest.replaceAll(word, by), text);
  }
}
