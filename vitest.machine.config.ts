import { defineConfig } from 'vitest/config';

/** What needs root, network namespaces, Debian packages, much memory or real minutes. Run by `npm run test:machine`. */
export default defineConfig({
  test: {
    include: ['spec/machine/**/*.spec.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxWorkers: 1,
    fileParallelism: false,
  },
});
