import { defineFilter } from './define-filter.ts';
import { getFilter } from './get-filter.ts';

export const filterEndpoints = [defineFilter, getFilter];
