/** Files that may be longer than spec/tidy.spec.ts allows, each with its reason. */
export const longFiles: Readonly<Record<string, string>> = {
  'spec/rooms/dag/differential/compare.ts':
    'one class that holds the store and its model side by side; every comparison needs both, and none is called from elsewhere',
};
