import { getPushers } from './get-pushers.ts';
import { postPusher } from './post-pusher.ts';

export const pusherEndpoints = [getPushers, postPusher];
