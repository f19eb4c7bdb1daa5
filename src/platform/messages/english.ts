/** The texts that people read in a browser. A part in braces is filled in; see catalogue.ts. */
export const english = {
  'startPage.title': '{serverName}: Matrix server',
  'startPage.running': 'This server is running.',
  'startPage.notReady': 'Not everything works at the moment ({problem}).',
  'startPage.serverName': 'Server name',
  'startPage.address': 'Address for apps',
  'startPage.software': 'Software',
  'startPage.registration': 'New accounts',
  'startPage.registrationOpen': 'Anyone can make an account here.',
  'startPage.registrationToken': 'Whoever has a registration token can make an account.',
  'startPage.registrationClosed': 'Administrators make the accounts.',
  'startPage.otherLanguage': 'По-русски',

  'connect.heading': 'Connect',
  'connect.intro': 'This server speaks Matrix, so any Matrix app works with it. With Element, for example:',
  'connect.get': 'Get Element for the phone or the computer.',
  'connect.getLink': 'Download Element',
  'connect.homeserver': 'Choose to sign in, and change the homeserver to this address:',
  'connect.signIn': 'Sign in with your name and password. Others reach you as {example}.',
  'connect.otherApps': 'Other apps',

  'setup.heading': 'The first administrator',
  'setup.due':
    'This server has no administrator yet. Open the one-time link that it wrote to its log when it started, or make one with the command “npm run user -- create NAME --admin”.',
  'setup.intro': 'Choose a name and a password. This account can make all others.',
  'setup.submit': 'Make the administrator',

  'field.name': 'Name',
  'field.nameHint': 'Lower-case letters, digits, and the characters . _ = - / +',
  'field.password': 'Password',
  'field.passwordHint': 'At least {length} characters.',
  'field.user': 'Name or user ID',

  'signIn.heading': 'For administrators',
  'signIn.submit': 'Sign in',
  'signIn.as': 'You are signed in as {userId}.',
  'signIn.signOut': 'Sign out',

  'account.heading': 'Make an account',
  'account.isAdmin': 'This person administers the server',
  'account.submit': 'Make the account',
  'account.made': 'The account {userId} is ready. Give the person the name and the password in a safe way.',

  'token.heading': 'Make a registration token',
  'token.intro': 'Whoever has the token can make an account without you.',
  'token.closed':
    'Registration is switched off in the configuration (registration.enabled), so a token has no use yet.',
  'token.uses': 'How many accounts',
  'token.usesHint': 'Empty: any number.',
  'token.days': 'Valid for how many days',
  'token.daysHint': 'Empty: for ever.',
  'token.submit': 'Make the token',
  'token.made': 'The new registration token:',

  'error.wrongPassword': 'The name or the password is wrong.',
  'error.setupToken':
    'This link is not valid: it has been used, or the server has been started again since. The log has the current one.',
  'error.setupDone': 'There is an administrator already. Sign in below.',
  'error.notAdministrator': 'Only administrators can sign in here. Everyone else signs in with an app.',
  'error.invalidUsername': 'This name has characters that names cannot have, or is too long.',
  'error.userInUse': 'This name is taken.',
  'error.weakPassword': 'This password is too weak. It needs at least {length} characters.',
  'error.limitExceeded': 'Too many attempts. Try again in {seconds} seconds.',
  'error.signedOut': 'You are not signed in any more. Sign in and try again.',
  'error.foreignForm': 'This form did not come from this page, or is out of date. Try again.',
  'error.badNumber': 'Enter a whole number from 1 to {max}, or nothing.',
  'error.other': 'That did not work: {message}',
} as const;
