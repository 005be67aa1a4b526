/** What stores let a bucket be called, beside what the schema asks of every name. */
export interface NameRule {
  readonly refused: RegExp;
  /** What is allowed, as a message writes it. */
  readonly allowed: string;
}

export const withoutDots: NameRule = { refused: /\./, allowed: "no dot" };

export const atLeastSix: NameRule = { refused: /^.{0,5}$/, allowed: "at least 6 characters" };

export const notB2: NameRule = {
  refused: /^b2/,
  allowed: "another beginning than b2, which is Backblaze's own",
};

/** AWS's rules; stores that speak S3 have most of them too. */
export const likeHosts: NameRule = {
  refused: /\.\.|\.-|-\.|^\d+\.\d+\.\d+\.\d+$/,
  allowed: "labels with a dot between two of them, and no address",
};

export const notReserved: NameRule = {
  refused: /^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/,
  allowed: "a name without a beginning or an end that AWS keeps for itself",
};

export const notGoogles: NameRule = {
  refused: /^goog|google/,
  allowed: "a name without goog at its beginning, and without google",
};
