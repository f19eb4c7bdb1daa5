/** The words by which local users are found in the user directory; written with whatever changes a name. */
import type { UserId } from '../matrix/ids/ids.ts';
import { localpartOf } from '../matrix/ids/user-id.ts';
import type { JsonValue } from '../matrix/json/json-value.ts';
import { foldText, wordsOf } from '../matrix/text/words.ts';
import type { UnitBuilder } from '../storage/database.ts';
import { findServerFact, setServerFact } from '../storage/server-facts.ts';
import { profileFields } from '../storage/stores/profile-store.ts';
import { accountsAfter, deleteUserWords, insertUserWord } from '../storage/stores/user-directory-store.ts';
import type { AccountsContext } from './context.ts';

/** Raised when other words are made of the same names: a start then makes them anew. */
const wordsVersion = '1';
const versionFact = 'user_words_version';
/** Of one user. */
const wordsMax = 40;
const sliceAccounts = 100;

/** Part of a unit, with the user's lock held. `displayName`: as the profile has it. */
export function writeUserWords(
  unit: UnitBuilder,
  { userNid: user, userId }: { readonly userNid: number; readonly userId: UserId },
  displayName: JsonValue | undefined,
): void {
  unit.run(deleteUserWords, { user });
  for (const word of userWords(userId, displayName)) unit.run(insertUserWord, { word, user });
}

/** The local part as a whole is a word too, so that it is found with its dots and dashes. */
function userWords(userId: UserId, displayName: JsonValue | undefined): ReadonlySet<string> {
  const localpart = localpartOf(userId);
  const name = typeof displayName === 'string' ? displayName : '';
  return new Set([foldText(localpart), ...wordsOf(localpart), ...wordsOf(name)].slice(0, wordsMax));
}

/** Makes the words of all accounts where they were made otherwise, or never. Begins again when it was interrupted. */
export async function updateUserWords(ctx: Pick<AccountsContext, 'db' | 'locks'>): Promise<void> {
  if ((await findServerFact(ctx.db, versionFact)) === wordsVersion) return;
  for (let above = 0; ;) {
    const accounts = await ctx.db.all(accountsAfter, { user: above, limit: sliceAccounts });
    await Promise.all(
      accounts.map(({ user_nid: userNid, user_id: userId }) =>
        updateWordsOf(ctx, { userNid, userId: userId as UserId }),
      ),
    );
    const last = accounts.at(-1);
    if (last === undefined) break;
    above = last.user_nid;
  }
  await setServerFact(ctx.db, versionFact, wordsVersion);
}

async function updateWordsOf(
  ctx: Pick<AccountsContext, 'db' | 'locks'>,
  user: { readonly userNid: number; readonly userId: UserId },
): Promise<void> {
  await ctx.locks.run(user.userNid, async () => {
    const fields = await ctx.db.all(profileFields, { user: user.userNid });
    const name = fields.find((field) => field.name === 'displayname')?.value;
    const displayName = name === undefined ? undefined : (JSON.parse(name) as JsonValue);
    await ctx.db.write((unit) => writeUserWords(unit, user, displayName)).committed;
  });
}
