import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { findPlaces, placeOf } from '../support/syntax.ts';
import {
  comparesOwnServerName,
  comparesRoomVersion,
  importsPlatform,
  importsWithoutEnding,
  isFileNameOf,
  kebabCase,
  leavesTestsOut,
  operationIdsIn,
  silencesType,
  usesPlatform,
} from './rules.ts';

const parse = (text: string): ts.SourceFile => ts.createSourceFile('a.ts', text, ts.ScriptTarget.ESNext, true);
const finds = (rule: (node: ts.Node) => boolean, text: string): boolean =>
  findPlaces({ path: 'a.ts', text, tree: parse(text) }, rule).length > 0;

const cases: readonly [
  name: string,
  rule: (node: ts.Node) => boolean,
  wrong: readonly string[],
  right: readonly string[],
][] = [
  [
    'usesPlatform',
    usesPlatform,
    [
      'const a = Date.now();',
      'const a = new Date();',
      'setTimeout(run, 5);',
      'globalThis.setTimeout(run, 5);',
      'const t = { setTimeout };',
      'const t = setInterval;',
      'Math.random();',
      'await fetch(url);',
      'new Worker(url);',
      'const e = process.env.HOME;',
      "import { randomBytes } from 'node:crypto';",
      "import { randomBytes as b } from 'node:crypto';",
      'const signal = AbortSignal.timeout(5);',
      'performance.now();',
    ],
    [
      'const a = new Date(timestampMs);',
      'clock.nowMs();',
      'server.setTimeout(5);',
      'interface A { fetch(url: string): void }',
      'remote.fetch(url);',
      'random.bytes(16);',
      'class A { setTimeout(): void {} }',
      "import { createHash } from 'node:crypto';",
    ],
  ],
  [
    'importsPlatform',
    importsPlatform,
    [
      "import http from 'node:http';",
      "import 'https';",
      "await import('node:dns/promises');",
      "export * from 'node:net';",
    ],
    [
      "import type { IncomingMessage } from 'node:http';",
      "import { http } from './http.ts';",
      "import { createHash } from 'node:crypto';",
    ],
  ],
  [
    'comparesRoomVersion',
    comparesRoomVersion,
    [
      "if (roomVersion === '12') run();",
      'if (Number(roomVersion) >= 8 || event.roomVersion > 3) run();',
      "if (['1', '2'].includes(room.room_version)) run();",
      "switch (rules.versionId) { case '11': run(); }",
    ],
    [
      'if (rules.privilegedCreators) run();',
      'if (a.roomVersion === b.roomVersion) run();',
      "if (apiVersion === 'v1') run();",
    ],
  ],
  [
    'comparesOwnServerName',
    comparesOwnServerName,
    [
      'if (origin === config.serverName) run();',
      'if (config.server.server_name !== origin) run();',
      'if (userId.endsWith(`:${this.serverName}`)) run();',
      'if (ownServerName === origin) run();',
    ],
    ['if (localServers.isLocal(origin)) run();', 'if (serverNameOf(sender) === origin) run();'],
  ],
  [
    'silencesType',
    silencesType,
    ['const a: any = 1;', 'const a = b as any;', 'const a = b as unknown as string;'],
    ['const a = b as string;', 'const a = expect.any(Number);', 'const a: unknown = 1;'],
  ],
  [
    'leavesTestsOut',
    leavesTestsOut,
    ["test.only('a', run);", "describe.skip('a', run);", "it.todo('a');", "test.each(cases).only('a', run);"],
    ["describe.runIf(present)('a', run);", 'rows.skip(5);'],
  ],
  [
    'importsWithoutEnding',
    importsWithoutEnding,
    ["import { a } from './a';", "import { a } from '../b/a.js';", "import { a } from '..';"],
    ["import { a } from './a.ts';", "import { a } from 'kysely';"],
  ],
];

describe.each(cases)('%s', (_name, rule, wrong, right) => {
  test.each(wrong)('finds %s', (text) => expect(finds(rule, text)).toBe(true));
  test.each(right)('accepts %s', (text) => expect(finds(rule, text)).toBe(false));
});

test('a place is a path and a line', () => {
  const tree = parse('\n\nDate.now();');
  expect(placeOf({ path: 'src/a.ts', text: tree.text, tree }, tree.statements[0]!)).toBe('src/a.ts:3');
});

test('operationIds are found, and files are named after them', () => {
  const tree = parse("export const sendMessage = defineEndpoint({ operationId: 'sendMessage', method: 'PUT' });");
  expect(operationIdsIn(tree)).toEqual(['sendMessage']);
  expect(kebabCase('sendMessage')).toBe('send-message');
  expect(kebabCase('redirectToSSO')).toBe('redirect-to-sso');
  expect(kebabCase('uploadContentToMXC')).toBe('upload-content-to-mxc');
  expect(kebabCase('logout_all')).toBe('logout-all');
  expect(isFileNameOf('send-message', 'sendMessage')).toBe(true);
  expect(isFileNameOf('sendmessage', 'sendMessage')).toBe(false);
  expect(isFileNameOf('get-account-3pids', 'getAccount3PIDs')).toBe(true);
  expect(isFileNameOf('add-3pid', 'add3PID')).toBe(true);
});
