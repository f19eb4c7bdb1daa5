import type { DelayedEventAction } from '../../../rooms/delayed-events/delayed-events.ts';
import { unrecognizedPath } from '../../errors.ts';

const actions: readonly DelayedEventAction[] = ['send', 'cancel', 'restart'];

/** The last segment of a path, which is no path of ours unless it is an action. Throws 404 M_UNRECOGNIZED. */
export function delayedEventAction(text: string): DelayedEventAction {
  const action = actions.find((known) => known === text);
  if (action === undefined) throw unrecognizedPath();
  return action;
}
