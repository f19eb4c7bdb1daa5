import { deliver } from './deliver.ts';
import { engines } from './engines.ts';
import { federationJoin } from './federation-join.ts';
import { federationReceive } from './federation-receive.ts';
import { firstSync } from './first-sync.ts';
import { roomState, roomsOfUser } from './growth.ts';
import { idle } from './idle.ts';
import { keys } from './keys.ts';
import type { Scenario } from './measurement.ts';
import { search } from './search.ts';
import { members } from './members.ts';
import { media } from './media.ts';
import { send } from './send.ts';
import { sliding } from './sliding.ts';
import { thumbnails } from './thumbnails.ts';
import { verify } from './verify.ts';

/** By the names that --only takes, in the order in which they run. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  send,
  deliver,
  idle,
  members,
  keys,
  'rooms-of-user': roomsOfUser,
  sliding,
  'first-sync': firstSync,
  'room-state': roomState,
  engines,
  search,
  thumbnails,
  media,
  'federation-receive': federationReceive,
  'federation-join': federationJoin,
  verify,
};
