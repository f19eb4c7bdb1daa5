import { describeDestination } from './describe-destination.ts';
import { getDestination } from './get-destination.ts';
import { listDestinations } from './list-destinations.ts';
import { listLaggingAsOperator } from './list-lagging-as-operator.ts';
import { listPartialRooms } from './list-partial-rooms.ts';
import { listRoomsOfDestination } from './list-rooms-of-destination.ts';
import { resetAsOperator } from './reset-as-operator.ts';
import { resetConnection } from './reset-connection.ts';

/** Other servers, as administrators see them. */
export const adminFederationEndpoints = [
  listDestinations,
  getDestination,
  listRoomsOfDestination,
  resetConnection,
  describeDestination,
  listPartialRooms,
  listLaggingAsOperator,
  resetAsOperator,
];
