import type { Notice } from '../../notices/server-notices.ts';
import { userId } from '../client/rooms/identifiers.ts';
import { type Decoded, jsonObject, object, optional, string, withDefault } from '../decode.ts';

export const serverNoticeBody = object({
  user_id: userId(),
  type: withDefault(string(), 'm.room.message'),
  state_key: optional(string()),
  content: jsonObject(),
});

export function noticeFrom(body: Decoded<typeof serverNoticeBody>, transaction: Notice['transaction']): Notice {
  return { userId: body.user_id, type: body.type, stateKey: body.state_key, content: body.content, transaction };
}
