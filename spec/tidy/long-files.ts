/** Files that may be longer than spec/tidy.spec.ts allows, each with its reason. */
export const longFiles: Readonly<Record<string, string>> = {
  'src/server.ts': 'The composition root: everything that there is stands here once.',
};
