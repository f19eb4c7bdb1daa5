/** Finding people and what they said. */
import { searchUserDirectory } from './search-user-directory.ts';

export const searchEndpoints = [searchUserDirectory];
