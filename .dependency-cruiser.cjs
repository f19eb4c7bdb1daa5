/** The table of .dependency-layers.cjs as rules, and a few more. Run by `npm run check:dependencies`. */
const { layers } = require('./.dependency-layers.cjs');

const escape = (text) => text.replaceAll('.', '\\.');
const folderOf = (layer) => (layer.endsWith('.ts') ? `^src/${escape(layer)}$` : `^src/${layer}/`);
const packageOf = (name) => `^node_modules/(@types/)?${name}/`;

const layerRules = Object.entries(layers).flatMap(([layer, may]) => [
  {
    name: `${layer}-imports-its-own-layers`,
    comment: `src/${layer} may import ${['itself', ...may.layers].join(', ')}. Declare a port and let src/server.ts hand it over.`,
    severity: 'error',
    from: { path: folderOf(layer) },
    to: {
      path: '^(src|migrations|spec)/',
      pathNot: [folderOf(layer), ...may.layers.map(folderOf), ...(layer === 'storage' ? ['^migrations/'] : [])],
    },
  },
  {
    name: `${layer}-imports-its-own-packages`,
    comment: `src/${layer} may import the npm packages ${may.packages.join(', ') || '(none)'}.`,
    severity: 'error',
    from: { path: folderOf(layer) },
    to: { path: '^node_modules/', pathNot: ['^node_modules/@types/node/', ...may.packages.map(packageOf)] },
  },
]);

const reachingOut =
  '^(node:)?(http|https|http2|net|tls|dns|dns/promises|dgram|worker_threads|child_process|cluster|timers|timers/promises)$';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: 'no-cycles',
      comment:
        'Two files that need each other when they run are one concept, or miss a third file. Types may refer to each other.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolved-imports',
      comment: 'An import that leads nowhere would hide a dependency from these rules.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'migrations-import-only-the-schema-helpers',
      comment: 'A migration must mean the same for ever, so it uses nothing that changes.',
      severity: 'error',
      from: { path: '^migrations/' },
      to: { path: '^(src|spec)/', pathNot: '^src/storage/ddl\\.ts$' },
    },
    {
      name: 'matrix-is-pure',
      comment: 'src/matrix does no input or output. Hashes and signatures are in src/matrix/crypto.',
      severity: 'error',
      from: { path: '^src/matrix/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|buffer)$' },
    },
    {
      name: 'crypto-of-matrix-in-one-folder',
      comment: 'Only src/matrix/crypto uses node:crypto.',
      severity: 'error',
      from: { path: '^src/matrix/', pathNot: '^src/matrix/crypto/' },
      to: { dependencyTypes: ['core'], path: '^(node:)?crypto$' },
    },
    {
      name: 'the-outside-through-ports',
      comment: 'Network, threads, processes and timers are ports of src/platform/ports.ts.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/platform/', '^src/http/listener', '^src/commands/'] },
      to: { dependencyTypes: ['core'], dependencyTypesNot: ['type-only'], path: reachingOut },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
