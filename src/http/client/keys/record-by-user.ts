import { badJson, invalidParam, missingParam } from '../../../matrix/errors.ts';
import type { UserId } from '../../../matrix/ids/ids.ts';
import { isUserId } from '../../../matrix/ids/user-id.ts';
import { isJsonObject } from '../../../matrix/json/json-value.ts';
import type { Decoder } from '../../decode.ts';

/** An object whose names are user ids, as its entries: there may be thousands. */
export function recordByUser<T>(item: Decoder<T>): Decoder<readonly (readonly [UserId, T])[]> {
  return {
    isOptional: false,
    decode(value, at) {
      if (value === undefined) throw missingParam(`${at} is missing`);
      if (!isJsonObject(value)) throw badJson(`${at} must be an object`);
      return Object.entries(value).map(([name, entry]): readonly [UserId, T] => {
        const decoded = item.decode(entry, `${at}.${name}`);
        if (!isUserId(name)) throw invalidParam(`A name in ${at} is not a user ID`);
        return [name, decoded];
      });
    },
  };
}
