/** Files that may be longer than spec/tidy.spec.ts allows, each with its reason. */
export const longFiles: Readonly<Record<string, string>> = {};
