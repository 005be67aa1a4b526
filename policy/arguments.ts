/** The folder that `pulumi --policy-pack` takes. */
export const packFolder = __dirname;

/** What makes `pulumi preview` and `pulumi up` hold a stack to the pack, which takes its tier from the stack's settings. */
export const packArguments = ["--policy-pack", packFolder] as const;

/** The policy of what is protected in the state. `make` judges that by itself, with the age of the backups. */
export const protectionName = "protected-data";
