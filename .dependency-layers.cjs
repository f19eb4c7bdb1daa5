/**
 * Who may import whom: one table. .dependency-cruiser.cjs turns it into rules, and spec/tidy.spec.ts asks it whether every
 * folder of src/ has its line.
 */

const core = ['matrix', 'platform', 'storage', 'jobs', 'plugin-api'];
const domain = [
  'accounts',
  'rooms',
  'presence',
  'encryption',
  'federation',
  'sync',
  'push',
  'rtc',
  'search',
  'media',
  'notices',
  'plugins',
];

/** Folder (or file) of src/ → what it may import: other folders of src/, and npm packages. A layer may always import itself. */
const layers = {
  matrix: { layers: [], packages: ['canonical-json', 'tweetnacl'] },
  platform: { layers: ['matrix'], packages: ['pino', 'pino-pretty', 'prom-client', 'yaml', 'nodemailer'] },
  mail: { layers: ['matrix', 'platform'], packages: [] },
  storage: { layers: ['matrix', 'platform'], packages: ['kysely', 'better-sqlite3', 'pg'] },
  'plugin-api': { layers: ['matrix'], packages: [] },
  jobs: { layers: ['matrix', 'platform', 'storage'], packages: [] },
  accounts: { layers: [...core, 'mail'], packages: [] },
  rooms: { layers: core, packages: [] },
  federation: { layers: [...core, 'rooms'], packages: ['jose'] },
  presence: { layers: core, packages: [] },
  encryption: { layers: [...core, 'rooms', 'accounts'], packages: [] },
  sync: { layers: [...core, 'rooms', 'accounts', 'presence', 'encryption'], packages: [] },
  push: { layers: [...core, 'mail', 'rooms', 'accounts'], packages: ['web-push'] },
  search: { layers: [...core, 'rooms'], packages: [] },
  rtc: { layers: core, packages: ['jose'] },
  media: {
    layers: [...core, 'rooms', 'accounts'],
    packages: ['content-disposition', 'sharp', 'htmlparser2', '@aws-sdk/client-s3'],
  },
  notices: { layers: [...core, 'rooms', 'accounts'], packages: [] },
  plugins: { layers: [...core, 'rooms', 'accounts'], packages: [] },
  identity: { layers: ['matrix', 'plugin-api'], packages: [] },
  bridges: { layers: ['matrix', 'plugin-api'], packages: [] },
  http: {
    layers: ['matrix', 'platform', 'plugin-api', ...domain],
    packages: ['express', 'ws', 'prom-client', '@tus/server', 'content-disposition'],
  },
  composition: { layers: [...core, 'mail', ...domain, 'http', 'identity', 'bridges'], packages: [] },
  'server.ts': { layers: [...core, 'mail', ...domain, 'http', 'identity', 'bridges', 'composition'], packages: [] },
  commands: {
    layers: [...core, 'mail', ...domain, 'http', 'server.ts', 'run-server.ts'],
    packages: ['yaml', 'prettier', 'dependency-cruiser'],
  },
  'run-server.ts': { layers: [...core, ...domain, 'http', 'server.ts'], packages: [] },
  'main.ts': { layers: ['matrix', 'platform', 'commands', 'run-server.ts'], packages: [] },
};

module.exports = { layers };
