/** Keys for a backup, as request bodies have them. https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeys */
import type { UploadedKey } from '../../../encryption/backed-up-keys.ts';
import type { JsonObject } from '../../../matrix/json/json-value.ts';
import { boolean, type Decoder, integer, jsonObject, object, recordOf } from '../../decode.ts';

/** A key with what the backup reads of it; the object itself is kept as it came. */
interface KeyBackupData {
  readonly fields: {
    readonly first_message_index: number;
    readonly forwarded_count: number;
    readonly is_verified: boolean;
  };
  readonly key: JsonObject;
}
interface RoomKeyBackup {
  readonly sessions: Readonly<Record<string, KeyBackupData>>;
}

const fields = object({
  first_message_index: integer({ min: 0 }),
  forwarded_count: integer({ min: 0 }),
  is_verified: boolean(),
  session_data: jsonObject(),
});

export const keyBackupData: Decoder<KeyBackupData> = {
  isOptional: false,
  decode: (value, at) => ({ fields: fields.decode(value, at), key: jsonObject().decode(value, at) }),
};
export const roomKeyBackup: Decoder<RoomKeyBackup> = object({ sessions: recordOf(keyBackupData) });

/** By room. */
export function uploadedKeys(rooms: Readonly<Record<string, RoomKeyBackup>>): readonly UploadedKey[] {
  return Object.entries(rooms).flatMap(([roomId, { sessions }]) =>
    Object.entries(sessions).map(
      ([
        sessionId,
        {
          fields: { first_message_index, forwarded_count, is_verified },
          key,
        },
      ]) => ({
        roomId,
        sessionId,
        firstMessageIndex: first_message_index,
        forwardedCount: forwarded_count,
        isVerified: is_verified,
        key,
      }),
    ),
  );
}
