import { invalidParam } from '../../../matrix/errors.ts';
import type { UserId } from '../../../matrix/ids/ids.ts';
import { isUserId } from '../../../matrix/ids/user-id.ts';
import { type Decoder, recordOf } from '../../decode.ts';

/** An object whose names are user ids. */
export function recordByUser<T>(item: Decoder<T>): Decoder<Readonly<Record<UserId, T>>> {
  const record = recordOf(item);
  return {
    isOptional: false,
    decode(value, at) {
      const decoded = record.decode(value, at);
      if (!Object.keys(decoded).every((name) => isUserId(name))) throw invalidParam(`A name in ${at} is not a user ID`);
      return decoded;
    },
  };
}
