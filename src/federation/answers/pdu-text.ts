/** Stored events in the form that other servers get, as JSON text: most are stored exactly so. */
import { redact } from '../../matrix/events/redact.ts';
import { withoutUnsigned } from '../../matrix/events/client-event.ts';
import { canonicalJsonOf } from '../../matrix/json/canonical-json.ts';
import type { RoomVersionRules } from '../../matrix/room-versions/rules.ts';
import { exactPduOf } from '../../rooms/stored-event.ts';
import { eventBodyBytes } from '../../storage/event-body.ts';

interface Stored {
  readonly body: Buffer;
}

export function pduText(row: Stored, rules: RoomVersionRules): Buffer {
  const text = eventBodyBytes(row.body);
  if (!text.includes(unsignedKey)) return text;
  return Buffer.from(canonicalJsonOf(rules)(withoutUnsigned(exactPduOf(row))));
}

/** Of an event that the other server may not see. Its id and signatures are those of the whole. */
export function redactedPduText(row: Stored, rules: RoomVersionRules): Buffer {
  return Buffer.from(canonicalJsonOf(rules)(redact(exactPduOf(row), rules)));
}

const unsignedKey = '"unsigned":';
