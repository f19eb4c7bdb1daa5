/** What people think administrators should know of. */
import { reportEvent } from './report-event.ts';
import { reportRoom } from './report-room.ts';
import { reportUser } from './report-user.ts';

export const reportEndpoints = [reportEvent, reportRoom, reportUser];
