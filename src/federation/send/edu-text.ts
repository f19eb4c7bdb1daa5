import { legacyCanonicalJson } from '../../matrix/json/canonical-json.ts';
import type { EduRow } from '../../storage/stores/outgoing-store.ts';
import type { KeyContents } from './sender-dependencies.ts';

/** A durable EDU as it is sent. What is about keys says how they are now, so that whoever was away long gets no outdated ones. */
export async function eduText(row: EduRow, deviceKeys: KeyContents): Promise<string> {
  const { user_nid: userNid, device_id: deviceId, stream_id: streamId, prev_id: prevId } = row;
  if (userNid === null) return row.json;
  if (deviceId === null)
    return legacyCanonicalJson({
      edu_type: 'm.signing_key_update',
      content: await deviceKeys.signingKeyUpdate(userNid),
    });
  const update = { deviceId, streamId: streamId ?? 0, prevId: prevId ?? undefined };
  const content = await deviceKeys.deviceListUpdate(userNid, update);
  return legacyCanonicalJson({ edu_type: 'm.device_list_update', content });
}
