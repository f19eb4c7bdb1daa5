import { deleteProfileField } from './delete-profile-field.ts';
import { getProfileField } from './get-profile-field.ts';
import { getUserProfile } from './get-user-profile.ts';
import { setProfileField } from './set-profile-field.ts';

export const profileEndpoints = [getUserProfile, getProfileField, setProfileField, deleteProfileField];
