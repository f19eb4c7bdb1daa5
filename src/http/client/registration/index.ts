import { checkUsernameAvailability } from './check-username-availability.ts';
import { register } from './register.ts';
import { registrationTokenValidity } from './registration-token-validity.ts';

export const registrationEndpoints = [register, checkUsernameAvailability, registrationTokenValidity];
