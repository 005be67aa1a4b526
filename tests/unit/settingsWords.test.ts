import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import * as z from "zod";
import { invariants } from "../../policy/invariants";
import { schema } from "../../settings/schema";
import { found } from "../support/words";

const root = join(__dirname, "..", "..");

/** The former form of a message. */
const formerForm = /allowed is/;

/** Folders whose texts a user reads: settings, messages, objects in the cluster. */
const folders = ["settings", "checks", "policy", "operations", "shell", "components", "plan", "stacks"];

/** What may stay, and why. */
const exceptions: readonly { file: string; text: string; because: string }[] = [
  {
    file: "components/issuing.ts",
    text: "nobody",
    because: "this code is in stacks' state: a change is an update",
  },
  { file: "plan/engines/standalone/configuration.ts", text: "nobody", because: "the name of Unix's user" },
];

/** Every text of a setting: meaning, change, what is allowed, the fix. */
function textsOf(node: unknown, path = "pgplatform"): { path: string; text: string }[] {
  if (!(node instanceof z.ZodType)) return [];
  const own = Object.values(node.meta() ?? {})
    .filter((text) => typeof text === "string")
    .map((text) => ({ path, text }));
  const inner =
    node instanceof z.ZodObject
      ? Object.entries(node.shape).flatMap(([key, child]) => textsOf(child, `${path}.${key}`))
      : node instanceof z.ZodArray
        ? textsOf(node.element, `${path}[]`)
        : node instanceof z.ZodUnion
          ? node.options.flatMap((option: unknown) => textsOf(option, path))
          : node instanceof z.ZodOptional || node instanceof z.ZodDefault || node instanceof z.ZodPrefault
            ? textsOf(node.unwrap(), path)
            : [];
  return [...own, ...inner];
}

/** The text that an expression makes, with `{}` for what is filled in; undefined for what is no text. */
function textIn(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map(({ literal }) => `{}${literal.text}`).join("");
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [left, right] = [textIn(node.left), textIn(node.right)];
    return left === undefined && right === undefined ? undefined : `${left ?? "{}"}${right ?? "{}"}`;
  }
  return undefined;
}

/** The texts of a source file; a script's messages can't be told from its other lines. */
function textsIn(file: string): string[] {
  const source = readFileSync(join(root, file), "utf8");
  if (!file.endsWith(".ts")) return source.split("\n");
  const texts: string[] = [];
  const visit = (node: ts.Node): void => {
    const text = textIn(node);
    if (text !== undefined) texts.push(text);
    // A sum's parts were read with it; what is filled into a template may hold texts of its own.
    if (!(text !== undefined && ts.isBinaryExpression(node))) ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest));
  return texts;
}

const sources = folders.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(ts|sh|py)$/.test(name))
    .map((name) => `${folder}/${name}`),
);

describe("the project's words in texts of settings and messages", () => {
  it("are the field's in every description of a setting", () => {
    const texts = textsOf(schema);
    assert.ok(texts.length > 300, `only ${texts.length} texts`);
    for (const { path, text } of texts) assert.deepEqual(found(text), [], path);
  });

  it("are the field's in every text of a policy", () => {
    for (const { name, description, remediation, options = {} } of invariants)
      for (const text of [description, remediation, ...Object.values(options).map((one) => one.description)])
        assert.deepEqual(found(text), [], name);
  });

  for (const folder of folders)
    it(`are the field's in what ${folder}/ says`, () => {
      const files = sources.filter((file) => file.startsWith(`${folder}/`));
      assert.ok(files.length > 0);
      const wrong = files.flatMap((file) =>
        textsIn(file)
          .filter((text) => !exceptions.some((one) => one.file === file && one.text === text))
          .flatMap((text) => found(text).map(({ word, use }) => `${file}: ${word} (${use}) in: ${text}`)),
      );
      assert.deepEqual(wrong, []);
    });

  it("are in messages of the present form", () => {
    const wrong = sources.flatMap((file) => textsIn(file).filter((text) => formerForm.test(text)));
    assert.deepEqual(wrong, []);
  });

  it("have no exception that no text needs", () => {
    for (const { file, text } of exceptions) {
      assert.ok(found(text).length > 0, text);
      assert.ok(textsIn(file).includes(text), file);
    }
  });
});
