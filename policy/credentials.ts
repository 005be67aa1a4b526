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

/** What a name of a secret ends with. */
const secretWords = list(
  "password passwd pwd pass passphrase passcode pgpassword pgpass token apikey credentials jwt pat secretkey privatekey accesskey",
);
/** The word before `key` by which it is one that opens something. */
const keys = list(
  "access account api app application auth cipher client deploy encryption hmac jwt license master private secret session shared signing storage vault webhook",
);
/** With these a name is about a secret and holds none. */
const verbs = list(
  "allow change confirm disable enable forgot has hide is max min no rememeber remember require required requires reset rotate show use with without",
);
/** What a name of a Secret ends with, in front of `secret`. */
const references = list(
  "auth ca cert existing image load name pull reference ref server superuser target tls",
);

/** Annotations whose value is the name of a Secret: how CloudNativePG finds the certificates of a plugin. */
const namesOfSecrets = ["cnpg.io/pluginClientSecret", "cnpg.io/pluginServerSecret"];
const isVariable = (key: string): boolean => /^[A-Z][A-Z0-9_]*$/.test(key);

/** Whether a key says that its value is a secret. */
export function namesSecret(key: string): boolean {
  if (namesOfSecrets.includes(key)) return false;
  const words = wordsOf(key);
  const [last = "", before = ""] = words.toReversed();
  if (last === "pass" && before === "by") return false;
  if (secretWords.has(last)) return !(words.length === 2 && verbs.has(before));
  if (last === "key" || last === "base") {
    const at = last === "base" ? words.at(-3) : before;
    return keys.has(at ?? "") && (last === "key" || before === "key");
  }
  // In a custom resource `secret` is the name of one; a variable holds it.
  if (last !== "secret" || before === "" || references.has(before)) return false;
  return before === "client" || isVariable(key) || key.includes("_");
}

const flags =
  /^(true|false|none|null|nil|yes|no|on|off|enabled?|disabled?|required?|optional|default|always|never|auto|prefer|require|allow|string|str|text|undefined|\d{1,5}|\*+|x{3,}|redacted|hidden)$/i;

/** A value that refers to another, or says something about one: a variable, a template, a path, a switch, a Secret's own name. */
export const stands = (value: string): boolean =>
  /^(\$[({A-Za-z_]|\{\{|<[^>]*>$|%[({A-Z]|!|\*\w|@|&)/.test(value) ||
  // An argument of a shell's function.
  /^\$\d$/.test(value) ||
  /^~?\.{0,2}\/[\w@.-]+(\/[\w@.-]+)*\/?$/.test(value) ||
  /^(file|env|vault|secret|op|ref|aws-sm|gcp-sm|awssm)[+:]/i.test(value) ||
  /^[a-z0-9.-]*(secret|credential|password|token|passwd)[a-z0-9.-]*$/.test(value) ||
  /^-----BEGIN (CERTIFICATE|PUBLIC KEY)/.test(value) ||
  flags.test(value);

/** Secrets known by their form. */
const forms: readonly [what: string, form: RegExp][] = [
  ["a URI with a password", /\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@"']{0,200}:(?![$%{<*])[^\s:/@"']+@[^\s"']/i],
  ["a URI with a password", /[?&](token|api_key|access_token|sslpassword)=(?![$%{<])[^\s"'&]+/i],
  [
    "a command line with a password",
    /(?:^|[\s"'])--?(?:[a-z0-9]{1,20}[-_]){0,3}(?:password|passwd|token|secret-key|api-key|access-key)(?:=|\s+)(?![$%{<-]|["']?(?:\/|\$))["']?[^\s"']/i,
  ],
  [
    "a command line with a password",
    /\bcurl\b[^\n|;]{0,200}\s(-u|--user)[\s=]+["']?[^\s:"'$]+:(?![$%{<])[^\s"']+/,
  ],
  ["a header with a token", /\bauthorization:\s*(bearer|basic)\s+(?![$%{<])[^\s"']{6,}/i],
  [
    "a connection string with a password",
    /\bpassword=(?!["']?(?:[$%{<]|(?:true|false|none|null|yes|no|on|off|enabled|disabled|required|optional)\b))["']?[^\s"'&;$%{<([/]{1,200}(?=[\s"'&;]|$)/i,
  ],
  ["SQL with a password", /\bpassword\s+'(?!\s*')(?!%s|[$%:{])/i],
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ["a private key", /\bAGE-SECRET-KEY-1[A-Z0-9]{20,}/],
  ["a password's verifier", /SCRAM-SHA-256\$\d+:|"\s+"md5[0-9a-f]{32}"|(^|[\s:"'])md5[0-9a-f]{32}($|[\s"'])/],
  ["a password's verifier", /\$(2[aby]|apr1|5|6|argon2id?|y)\$[./A-Za-z0-9$=,+]{20,}/],
  ["an access key of AWS", /\b(AKIA|ASIA)[0-9A-Z]{16}\b/],
  [
    "a token",
    /\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|glpat-[A-Za-z0-9_-]{16,}|xox[abpr]-[A-Za-z0-9-]{10,}|sk_live_[A-Za-z0-9]{16,}|hv[sb]\.[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{30,}|AIza[A-Za-z0-9_-]{30,})/,
  ],
  ["a token", /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/],
  ["a connection string with a key", /\b(AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{20,}/],
  ["a login to a registry", /"auths"\s*:\s*\{[^}]{0,400}"(auth|password)"\s*:\s*"[^"]+"/],
  ["a password file", /^[^\s:#"']+:(\d+|\*):[^\s:]+:[^\s:]+:(?![$%{<])[^\s:]+$/m],
  ["a password file", /^\s*machine\s+\S+\s+login\s+\S+\s+password\s+(?![$%{<])\S/m],
];

/** A user list of PgBouncer: lines of `"role" "password"`. */
const isUserList = (key: string, value: string): boolean =>
  key.endsWith("userlist.txt") && /^"[^"]+"\s+"[^"]+"/m.test(value);

/** `NAME=value`, `name: value`, `"name": "value"`, `<name>value</name>`, in a file or in a command. */
const assigned =
  /(?:^|[\s,;{("'`<])(["']?)([A-Za-z_][A-Za-z0-9_.-]{2,60})\1(?:[ \t]{0,8}[:=][ \t]{0,8}|>)("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s"'`<,;]+)/g;

/** What code writes in the place of a value. */
const isCode = (value: string): boolean =>
  /[()[\]{}]|^[\w$]+(\.[\w$]+)+$|=>|^(os|process|self|this|args|env|config|opts|options|settings)\b/.test(
    value,
  );

/** A secret that is given a name within a text. */
function assignedIn(text: string): boolean {
  for (const [, , name = "", given = ""] of text.matchAll(assigned)) {
    if (!namesSecret(name)) continue;
    const isQuoted = /^["']/.test(given);
    const value = isQuoted ? given.slice(1, -1) : given;
    if (value === "" || stands(value) || value.includes("$(") || value.includes("${")) continue;
    if (!isQuoted && isCode(value)) continue;
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
  const form = forms.find(([, expression]) => expression.test(value));
  if (form) return form[0];
  if (isUserList(key, value)) return "a list of passwords";
  if (namesSecret(key) && !stands(value)) return "a value under a secret's name";
  return value.includes(":") || value.includes("=") || value.includes(">")
    ? assignedIn(value)
      ? "a secret under its name in a text"
      : undefined
    : undefined;
}
