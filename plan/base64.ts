/** A text as the `data` of a Secret holds it. */
export const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64");
