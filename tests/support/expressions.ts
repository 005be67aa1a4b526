/** The expressions of workflows, as far as those of this project use them; anything else is an error. */

type Scope = Readonly<Record<string, unknown>>;

const falsy = (value: unknown): boolean =>
  value === undefined || value === null || value === "" || value === false || value === 0;

const functions: Readonly<Record<string, (value: unknown) => unknown>> = {
  fromJSON: (value) => JSON.parse(String(value)) as unknown,
  cancelled: () => false,
};

class Reader {
  private readonly tokens: string[];
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly scope: Scope,
  ) {
    const form = /\s*('(?:[^']|'')*'|\d+|[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*|\|\||&&|==|!=|[!()])\s*/gy;
    this.tokens = [];
    while (form.lastIndex < text.length) {
      const start = form.lastIndex;
      const found = form.exec(text);
      if (found === null) throw new Error(`expression: ${text.slice(start)}`);
      this.tokens.push(found[1] ?? "");
    }
  }

  private take(...wanted: string[]): string | undefined {
    const next = this.tokens[this.at];
    if (next === undefined || !wanted.includes(next)) return undefined;
    this.at++;
    return next;
  }

  value(): unknown {
    const found = this.or();
    if (this.at < this.tokens.length) throw new Error(`expression: ${this.text}`);
    return found;
  }

  private or(): unknown {
    let left = this.and();
    while (this.take("||")) {
      const right = this.and();
      left = falsy(left) ? right : left;
    }
    return left;
  }

  private and(): unknown {
    let left = this.equal();
    while (this.take("&&")) {
      const right = this.equal();
      left = falsy(left) ? left : right;
    }
    return left;
  }

  private equal(): unknown {
    const left = this.one();
    const sign = this.take("==", "!=");
    if (sign === undefined) return left;
    // What isn't set equals an empty text.
    const same = (left ?? "") === (this.one() ?? "");
    return sign === "==" ? same : !same;
  }

  private one(): unknown {
    if (this.take("!")) return falsy(this.one());
    if (this.take("(")) {
      const inner = this.or();
      if (!this.take(")")) throw new Error(`expression: ${this.text}`);
      return inner;
    }
    const token = this.tokens[this.at++] ?? "";
    if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'");
    if (/^\d/.test(token)) return Number(token);
    if (this.take("(")) {
      const argument = this.take(")") ? undefined : this.or();
      if (argument !== undefined && !this.take(")")) throw new Error(`expression: ${this.text}`);
      const call = functions[token];
      if (call === undefined) throw new Error(`expression: no function ${token}`);
      return call(argument);
    }
    const [first = "", ...rest] = token.split(".");
    if (!(first in this.scope)) throw new Error(`expression: no context ${first}`);
    return rest.reduce<unknown>((at, key) => (at as Scope | undefined)?.[key], this.scope[first]);
  }
}

/** What an expression comes to, without the braces around it. */
export const evaluate = (text: string, scope: Scope): unknown => new Reader(text, scope).value();

const whole = /^\s*\$\{\{((?:(?!\}\}).)*)\}\}\s*$/s;

/** A text with the values of the expressions in it; one that is nothing else keeps its type. */
export function filledIn(value: unknown, scope: Scope): unknown {
  if (typeof value !== "string") return value;
  const [, only] = whole.exec(value) ?? [];
  if (only !== undefined) return evaluate(only, scope);
  return value.replace(/\$\{\{(.*?)\}\}/gs, (_, inner: string) => {
    const found = evaluate(inner, scope);
    return typeof found === "object" ? JSON.stringify(found) : String((found as string | undefined) ?? "");
  });
}

export const isTrue = (value: unknown): boolean => !falsy(value);
