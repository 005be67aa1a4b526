/** How a secret looks: by the name of what holds it, or by its form. The value itself never gets into a message. */

/** Words of a key, whatever its style: `aws_secret-accessKey` is aws, secret, access, key. */
const wordsOf = (key: string): string[] =>
  key
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");

const list = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/).filter((word) => word !== ""));

/** What a name of a password ends with. */
const passwordWords = list("password passwd pwd pass passphrase passcode pgpassword pgpass");
/** What a name of another secret ends with. */
const secretWords = list("token apikey credentials jwt pat secretkey privatekey accesskey");
/** The word before `key` by which it is one that opens something. */
const keys = list(
  "access account api app application auth cipher client deploy encryption hmac jwt license master private secret session shared signing storage vault webhook",
);
/** With these a name is about a secret and holds none. */
const verbs = list(
  "allow change confirm disable enable forgot has hide is max min no rememeber remember require required requires reset rotate show use with without",
);
/** What a name of a Secret ends with, in front of `secret`. */
const references = list("ca cert existing image load name pull reference ref tls");
/** The same in a field; in a variable these are about the secret itself. */
const fieldReferences = list("auth server superuser target");

/** Annotations whose value is the name of a Secret: how CloudNativePG finds the certificates of a plugin. */
const namesOfSecrets = ["cnpg.io/pluginClientSecret", "cnpg.io/pluginServerSecret"];
const isVariable = (key: string): boolean => /^[A-Z][A-Z0-9_]*$/.test(key);

/** Whether a key says that its value is a secret. */
export function namesSecret(key: string): boolean {
  if (namesOfSecrets.includes(key)) return false;
  const words = wordsOf(key);
  const [last = "", before = ""] = words.toReversed();
  if (last === "pass" && before === "by") return false;
  if (passwordWords.has(last) || secretWords.has(last)) return !(words.length === 2 && verbs.has(before));
  if (last === "key" || last === "base") {
    const at = last === "base" ? words.at(-3) : before;
    return keys.has(at ?? "") && (last === "key" || before === "key");
  }
  // In a custom resource `secret` is the name of one; a variable holds it.
  if (last !== "secret" || references.has(before)) return false;
  if (isVariable(key)) return true;
  return before === "client" || (key.includes("_") && before !== "" && !fieldReferences.has(before));
}

/** What no secret is: a switch, or what hides one. */
const switches =
  /^(true|false|none|null|nil|yes|no|on|off|enabled?|disabled?|undefined|\*+|x{3,}|redacted|hidden)$/i;
/** What a rule or a schema says of a value. */
const statements = /^(required?|optional|default|always|never|auto|prefer|require|allow|string|str|text)$/i;
const number = /^\d{1,5}$/;
const nameOfSecret = /^[a-z0-9.-]*(secret|credential|password|token|passwd)[a-z0-9.-]*$/;

/** Whether a value under a secret's name only says something about it. Words and numbers are common as passwords, too. */
function saysSomething(key: string, value: string): boolean {
  if (switches.test(value)) return true;
  const words = wordsOf(key);
  const isPassword = passwordWords.has(words.at(-1) ?? "");
  if (isPassword && words.length > 1) return false;
  if (statements.test(value) || number.test(value)) return true;
  return !isPassword && nameOfSecret.test(value) && (!isVariable(key) || /[.-]/.test(value));
}

/** What stands for another value as a whole: a variable, a template, a path, a place in a vault. */
const isReference = (value: string): boolean =>
  /^(\$\([^)]*\)|\$(__\w+)?\{.*\}|\$[A-Z_][A-Z0-9_]*|%\([\w.]+\)[a-z]?|%\{[^}]*\}|%[A-Z_]+%|\{\{.*\}\}|<[^>]*>)$/s.test(
    value,
  ) ||
  (/^\$[a-z]\w*$/.test(value) && namesSecret(value.slice(1))) ||
  /^~?\.{0,2}\/[\w@.-]+(\/[\w@.-]+)*\/?$/.test(value) ||
  /^(file|env|vault|secret|op|ref|aws-sm|gcp-sm|awssm)(\+[a-z0-9-]+)*:/i.test(value) ||
  /^-----BEGIN (CERTIFICATE|PUBLIC KEY)/.test(value);

/** Whether a value under a secret's name is none: it refers to another, or says something about one. */
export const stands = (key: string, value: string): boolean =>
  isReference(value) || saysSomething(key, value);

/** The same of a value within a text, where a shell, a template or a statement may put another in its place. */
const standsInText = (key: string, value: string): boolean =>
  stands(key, value) ||
  /^(\$[({\w]|\{\{|%[({]|%[a-z]$|:\w+$|[:=]+$)/.test(value) ||
  value.includes("$(") ||
  value.includes("${");

/** What stands behind a colon and is no value: tags, anchors and aliases of YAML, and types. */
const marks = /^(!\w|[&*][\w-]|@|(string|str|bytes|text)$)/;

/** What code writes in the place of a value: a call, a field, a pattern. */
const isCode = (value: string): boolean =>
  /[()[\]{}]|\.\*|^[\w$]+(\.[\w$]+)+$|=>|^(os|process|self|this|args|env|config|opts|options|settings)\b/.test(
    value,
  );

/** A URI's password. In a variable's value nothing takes the place of `$name`; in a shell's text the variable does. */
function hasUriPassword(text: string, key: string): boolean {
  for (const [, password = ""] of text.matchAll(
    /\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@"']{0,200}:([^\s/@"']{1,200})@[^\s"']/gi,
  ))
    if (
      !isReference(password) &&
      !/^(\{[\w.]*\}|%[a-z]|\*+|x{3,}|redacted)$/i.test(password) &&
      !(/^\$[a-z_]/i.test(password) && !isVariable(key))
    )
      return true;
  return false;
}

/** `password=value`, as connection strings have it. */
function hasConnectionPassword(text: string): boolean {
  for (const [, given = ""] of text.matchAll(/\bpassword=["']?([^\s"'&;]{1,200})/gi)) {
    const value = given.replace(/[,)]+$/, "");
    if (/\w/.test(value) && !standsInText("password", value) && !isCode(value)) return true;
  }
  return false;
}

const like =
  (expression: RegExp) =>
  (text: string): boolean =>
    expression.test(text);

/** In front of a value: it is none that a shell or a program puts in its place. */
const plain = String.raw`(?!\$[({\w]|\{|%[({]|%[a-z]\b|<[^<>]*>)`;

/** Secrets known by their form. */
const forms: readonly [what: string, is: (text: string, key: string) => boolean][] = [
  ["a URI with a password", hasUriPassword],
  [
    "a URI with a password",
    like(new RegExp(String.raw`[?&](token|api_key|access_token|sslpassword)=${plain}[^\s"'&]+`, "i")),
  ],
  [
    "a command line with a password",
    like(
      new RegExp(
        String.raw`(?:^|[\s"'])--?(?:[a-z0-9]{1,20}[-_]){0,3}(?:password|passwd|token|secret-key|api-key|access-key)(?:=|\s+)(?!-|["']?\/)(?:["']${plain}|${plain}(?!["']))[^\s"']`,
        "i",
      ),
    ),
  ],
  [
    "a command line with a password",
    like(new RegExp(String.raw`\bcurl\b[^\n|;]{0,200}\s(-u|--user)[\s=]+["']?[^\s:"'$]+:${plain}[^\s"']+`)),
  ],
  [
    "a header with a token",
    like(new RegExp(String.raw`\bauthorization:\s*(bearer|basic)\s+${plain}[^\s"']{6,}`, "i")),
  ],
  ["a connection string with a password", hasConnectionPassword],
  ["SQL with a password", like(new RegExp(String.raw`\bpassword\s+'(?!\s*'|:)${plain}`, "i"))],
  ["a private key", like(/-----BEGIN [A-Z ]*PRIVATE KEY-----/)],
  ["a private key", like(/\bAGE-SECRET-KEY-1[A-Z0-9]{20,}/)],
  [
    "a password's verifier",
    like(/SCRAM-SHA-256\$\d+:|"\s+"md5[0-9a-f]{32}"|(^|[\s:"'])md5[0-9a-f]{32}($|[\s"'])/),
  ],
  ["a password's verifier", like(/\$(2[aby]|apr1|5|6|argon2id?|y)\$[./A-Za-z0-9$=,+]{20,}/)],
  ["an access key of AWS", like(/\b(AKIA|ASIA)[0-9A-Z]{16}\b/)],
  [
    "a token",
    like(
      /\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|glpat-[A-Za-z0-9_-]{16,}|xox[abpr]-[A-Za-z0-9-]{10,}|sk_live_[A-Za-z0-9]{16,}|hv[sb]\.[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{30,}|AIza[A-Za-z0-9_-]{30,})/,
    ),
  ],
  ["a token", like(/\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/)],
  ["a connection string with a key", like(/\b(AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{20,}/)],
  ["a login to a registry", like(/"auths"\s*:\s*\{[^}]{0,400}"(auth|password)"\s*:\s*"[^"]+"/)],
  [
    "a password file",
    like(new RegExp(String.raw`^[^\s:#"']+:(\d+|\*):[^\s:]+:[^\s:]+:${plain}[^\s:]+$`, "m")),
  ],
  [
    "a password file",
    like(new RegExp(String.raw`^\s*machine\s+\S+\s+login\s+\S+\s+password\s+${plain}\S`, "m")),
  ],
];

/** A user list of PgBouncer: lines of `"role" "password"`. */
const isUserList = (key: string, value: string): boolean =>
  key.endsWith("userlist.txt") && /^"[^"]+"\s+"[^"]+"/m.test(value);

/** `NAME=value`, `name: value`, `"name": "value"`, `<name>value</name>`, in a file or in a command. */
const assigned =
  /(?:^|[\s,;{("'`<])(["']?)([A-Za-z_][A-Za-z0-9_.-]{2,60})\1([ \t]{0,8}[:=][ \t]{0,8}|>)("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s"'`<,;]+)/g;

/** A secret that is given a name within a text. */
function assignedIn(text: string): boolean {
  for (const match of text.matchAll(assigned)) {
    const [whole, quote, name = "", between = "", given = ""] = match;
    if (!namesSecret(name)) continue;
    // Brackets around a placeholder, where no element ends.
    const end = match.index + whole.length;
    if (between === ">" && !text.slice(end, end + 200).includes("</")) continue;
    const isQuoted = /^["']/.test(given);
    // A variable of psql.
    if (isQuoted && quote === "" && /[ \t]:$/.test(between)) continue;
    const value = isQuoted ? given.slice(1, -1) : given;
    if (value === "" || standsInText(name, value)) continue;
    if (!isQuoted && (isCode(value) || (between.includes(":") && marks.test(value)))) continue;
    return true;
  }
  return false;
}

/** Texts that are longer hold data, of which the beginning is enough. */
const LONGEST = 500_000;

/** What secret a value is; undefined where it is none. */
export function secretIn(key: string, whole: string): string | undefined {
  if (whole === "") return undefined;
  const value = whole.length > LONGEST ? whole.slice(0, LONGEST) : whole;
  const form = forms.find(([, is]) => is(value, key));
  if (form) return form[0];
  if (isUserList(key, value)) return "a list of passwords";
  if (namesSecret(key) && !stands(key, value)) return "a value under a secret's name";
  return value.includes(":") || value.includes("=") || value.includes(">")
    ? assignedIn(value)
      ? "a secret under its name in a text"
      : undefined
    : undefined;
}
