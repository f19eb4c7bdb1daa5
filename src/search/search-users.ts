/** The user directory. https://spec.matrix.org/v1.19/client-server-api/#user-directory */
import type { UserId } from '../matrix/ids/ids.ts';
import { localpartOf } from '../matrix/ids/user-id.ts';
import { foldText, wordsOf } from '../matrix/text/words.ts';
import { limits } from '../platform/limits.ts';
import type { Database } from '../storage/database.ts';
import {
  type FoundWord,
  facesOfUsers,
  visibleUsers,
  wordsBetween,
  wordsOfUsers,
} from '../storage/stores/user-directory-store.ts';

export interface UserDirectoryContext {
  readonly db: Database;
  /** Everybody finds everybody of this server. */
  readonly findsAll: boolean;
}
export interface UserSearch {
  readonly term: string;
  readonly limit?: number | undefined;
}
/** Wire objects. */
export type FoundUser = {
  readonly user_id: UserId;
  readonly display_name?: string;
  readonly avatar_url?: string;
};
export type FoundUsers = { readonly results: readonly FoundUser[]; readonly limited: boolean };

/** Words that are looked at in one go. */
const sliceWords = 500;

/**
 * Users of whose name or id every word of the term begins a word, and whom the one who asks may find: those who share a room with
 * them, and those in rooms that are open to all. The best first. Bounded; what was not looked at counts as `limited`.
 */
export async function searchUsers(
  ctx: UserDirectoryContext,
  actor: { readonly userNid: number },
  { term, limit = limits.userSearchDefault }: UserSearch,
): Promise<FoundUsers> {
  const wanted = wantedOf(term);
  if (wanted.words.length === 0) return { results: [], limited: false };
  const { users, isWhole } = await matchingUsers(ctx, actor.userNid, wanted);
  const most = Math.min(limit, limits.userSearchMax);
  const ranked = (await withFaces(ctx, users)).toSorted((a, b) => rank(b, wanted) - rank(a, wanted) || byId(a, b));
  return {
    results: ranked.slice(0, most).map(({ userId, displayName, avatarUrl }) => ({
      user_id: userId,
      ...(displayName === undefined ? {} : { display_name: displayName }),
      ...(avatarUrl === undefined ? {} : { avatar_url: avatarUrl }),
    })),
    limited: ranked.length > most || !isWhole,
  };
}

interface Wanted {
  /** Each once, the longest first: fewest users have it. */
  readonly words: readonly string[];
  /** What a user id must begin with, where the term is one. */
  readonly idPrefix: string;
  readonly whole: string;
}

function wantedOf(term: string): Wanted {
  const text = term.trim();
  const isId = /^@\S+$/.test(text);
  const searched = isId ? (text.slice(1).split(':', 1)[0] ?? '') : text;
  const words = [...new Set(wordsOf(searched))].toSorted((a, b) => b.length - a.length);
  return { words, idPrefix: isId ? text.toLowerCase() : '', whole: foldText(searched) };
}

interface Matching {
  readonly userNid: number;
  readonly userId: UserId;
  readonly words: ReadonlySet<string>;
}

async function matchingUsers(
  ctx: UserDirectoryContext,
  user: number,
  wanted: Wanted,
): Promise<{ readonly users: readonly Matching[]; readonly isWhole: boolean }> {
  const from = wanted.words[0] ?? '';
  const users: Matching[] = [];
  const seen = new Set<number>();
  let at: FoundWord = { word: '', user_nid: 0 };
  for (let scanned = 0; scanned < limits.userSearchScannedMax && users.length < limits.userSearchFoundMax;) {
    const range = { from, below: `${from}\u{10ffff}`, afterWord: at.word, afterUser: at.user_nid, limit: sliceWords };
    const found = await ctx.db.all(wordsBetween, range);
    const fresh = [...new Set(found.map(({ user_nid: nid }) => nid))].filter((nid) => !seen.has(nid));
    for (const nid of fresh) seen.add(nid);
    users.push(...(await fittingUsers(ctx, user, fresh, wanted)));
    const last = found.at(-1);
    if (last === undefined || found.length < sliceWords) return { users, isWhole: true };
    at = last;
    scanned += found.length;
  }
  return { users, isWhole: false };
}

async function fittingUsers(
  ctx: UserDirectoryContext,
  user: number,
  nids: readonly number[],
  { words, idPrefix }: Wanted,
): Promise<readonly Matching[]> {
  if (nids.length === 0) return [];
  const visible = await ctx.db.all(visibleUsers, { users: nids, user, everybody: ctx.findsAll ? 1 : 0 });
  if (visible.length === 0) return [];
  const rows = await ctx.db.all(wordsOfUsers, { users: visible.map(({ user_nid: nid }) => nid) });
  const byUser = Map.groupBy(rows, ({ user_nid: nid }) => nid);
  return visible.flatMap(({ user_nid: userNid, user_id: userId }) => {
    const own = new Set((byUser.get(userNid) ?? []).map(({ word }) => word));
    const fits = words.every((word) => own.has(word) || [...own].some((one) => one.startsWith(word)));
    return fits && userId.toLowerCase().startsWith(idPrefix) ? [{ userNid, userId: userId as UserId, words: own }] : [];
  });
}

interface Face extends Matching {
  readonly displayName: string | undefined;
  readonly avatarUrl: string | undefined;
}

async function withFaces(ctx: UserDirectoryContext, users: readonly Matching[]): Promise<readonly Face[]> {
  if (users.length === 0) return [];
  const rows = await ctx.db.all(facesOfUsers, { users: users.map(({ userNid }) => userNid) });
  const values = new Map(rows.map((row) => [`${row.user_nid} ${row.name}`, JSON.parse(row.value) as unknown]));
  const textOf = (key: string): string | undefined => {
    const value = values.get(key);
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  return users.map((user) => ({
    ...user,
    displayName: textOf(`${user.userNid} displayname`),
    avatarUrl: textOf(`${user.userNid} avatar_url`),
  }));
}

/** The whole name or id, then the whole words, then who tells something of themselves. */
function rank({ userId, words, displayName, avatarUrl }: Face, wanted: Wanted): number {
  const names = [foldText(localpartOf(userId)), ...(displayName === undefined ? [] : [foldText(displayName.trim())])];
  const isWhole = names.includes(wanted.whole);
  const wholeWords = wanted.words.filter((word) => words.has(word)).length;
  return (
    (isWhole ? 1_000 : 0) + 4 * wholeWords + (displayName === undefined ? 0 : 2) + (avatarUrl === undefined ? 0 : 1)
  );
}

const byId = (a: Face, b: Face): number => (a.userId < b.userId ? -1 : a.userId > b.userId ? 1 : 0);
