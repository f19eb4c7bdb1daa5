import { describe, expect, it } from 'vitest';
import type { RoomVersionRules } from '../../../src/matrix/room-versions/rules.ts';
import {
  defaultRoomVersionId,
  experimentalRoomVersions,
  findRoomVersion,
  roomVersions,
} from '../../../src/matrix/room-versions/table.ts';

describe('room versions', () => {
  it('knows versions 1 to 12 and nothing else', () => {
    expect(Object.keys(roomVersions)).toEqual(Array.from({ length: 12 }, (_, index) => String(index + 1)));
    for (const [id, rules] of Object.entries(roomVersions)) {
      expect(rules.version).toBe(id);
      expect(findRoomVersion(id)).toBe(rules);
    }
    for (const unknown of ['', '0', '13', '01', 'org.matrix.msc1234', 'constructor', '__proto__']) {
      expect(findRoomVersion(unknown)).toBeUndefined();
    }
    expect(defaultRoomVersionId).toBe('12');
  });

  it('knows the versions of proposals by name, beside those of the specification', () => {
    for (const [id, rules] of Object.entries(experimentalRoomVersions)) {
      expect([rules.version, rules.disposition]).toEqual([id, 'unstable']);
      expect(findRoomVersion(id)).toBe(rules);
    }
    const owned = experimentalRoomVersions['org.matrix.msc3757.10'];
    expect(changes(roomVersions['10'], owned)).toEqual([
      'disposition: "stable" → "unstable"',
      'eventAuth/ownedState: false → true',
    ]);
  });

  it('is frozen through and through', () => {
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      expect(Object.isFrozen(value)).toBe(true);
      Object.values(value).forEach(visit);
    };
    visit(roomVersions);
    visit(experimentalRoomVersions);
  });

  const versions = Object.values(roomVersions);
  for (const [index, after] of versions.entries()) {
    const before = versions[index - 1];
    if (before === undefined) it('version 1', () => expect(after).toMatchSnapshot());
    else it(`version ${before.version} to ${after.version}`, () => expect(changes(before, after)).toMatchSnapshot());
  }
});

/** What one version changes, one line for each flag. */
function changes(before: RoomVersionRules, after: RoomVersionRules): string[] {
  const old = flatten(before);
  const now = flatten(after);
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((path) => path !== 'version' && old.get(path) !== now.get(path))
    .map((path) => `${path}: ${old.get(path) ?? 'nothing'} → ${now.get(path) ?? 'nothing'}`);
}

function flatten(value: object, prefix = '', into = new Map<string, string>()): Map<string, string> {
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) flatten(inner, `${prefix}${key}/`, into);
    else into.set(prefix + key, JSON.stringify(inner));
  }
  return into;
}
