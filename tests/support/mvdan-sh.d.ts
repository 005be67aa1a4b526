/** The part of it that tests use; the package brings no types. */
declare module "mvdan-sh" {
  export const syntax: {
    readonly LangBash: number;
    Variant(language: number): unknown;
    NewParser(...options: unknown[]): { Parse(text: string, name: string): unknown };
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- nodes of many shapes
    Walk(node: unknown, visit: (node: any) => boolean): void;
    NodeType(node: unknown): string;
  };
}
