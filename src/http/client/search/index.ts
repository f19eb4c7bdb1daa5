/** Finding people and what they said. */
import { searchUserDirectory } from './search-user-directory.ts';
import { search } from './search.ts';

export const searchEndpoints = [search, searchUserDirectory];
