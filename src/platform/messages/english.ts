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
    'This server has no administrator yet. Open the one-time link that it printed when it started, or run this command:',
  'setup.nameInCommand': 'NAME',
  'setup.intro': 'Choose a name and a password. This account can make all others.',
  'setup.submit': 'Make the administrator',

  'field.name': 'Name',
  'field.nameHint': 'Lower-case letters, digits, and any of ._=-/+',
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

  'mail.subject': '{serverName}: confirm your e-mail address',
  'mail.resetSubject': '{serverName}: a new password',
  'mail.register':
    'Somebody, probably you, is making an account at {serverName} with this address. Confirm that it is yours:',
  'mail.add': 'Somebody, probably you, is adding this address to an account at {serverName}. Confirm that it is yours:',
  'mail.reset':
    'Somebody, probably you, has asked to set a new password for {userId} at {serverName}. Confirm that it was you, and nobody else:',
  'mail.registered':
    'Somebody, probably you, wanted to make an account at {serverName} with this address, but it belongs to an account already: {userId}. Sign in to it, or ask your app for a new password.',
  'mail.added':
    'Somebody, probably you, wanted to add this address to an account at {serverName}, but it belongs to {userId} already.',
  'mail.unknown':
    'Somebody, probably you, has asked to set a new password at {serverName}, but no account there has this address. If you have one, it has another address or none.',
  'mail.confirm': 'Confirm',
  'mail.code': 'If your app asks for a code, it is this:',
  'mail.expiry': 'This works for {hours} hours.',
  'mail.notYou': 'If it was not you, you need not do anything: nothing happens.',

  'confirm.title': '{serverName}: e-mail address',
  'confirm.heading': 'Your e-mail address',
  'confirm.ask': 'Is {address} your address?',
  'confirm.askReset':
    'Have you just asked, in an app, to set a new password for {userId}? Whoever asked can set it as soon as you confirm. If it was not you, close this page.',
  'confirm.submit': 'Confirm',
  'confirm.done': 'The address {address} is confirmed. Go back to your app now.',
  'confirm.next': 'Go on to {host}',
  'confirm.invalid': 'This link is not valid: it is too old, or there is a newer message.',

  'renew.subject': '{serverName}: your account',
  'renew.text': 'Your account {userId} at {serverName} can be used until {day} (UTC). If you still need it, renew it:',
  'renew.ask': 'Do you still need the account {userId}?',
  'renew.submit': 'Renew',
  'renew.done': 'The account {userId} is renewed.',

  'unread.subject': '{serverName}: unread messages ({count})',
  'unread.text': 'This came for {userId} at {serverName} and has not been read yet. Number of messages: {count}.',
  'unread.room': '{room} ({count})',
  'unread.unnamedRoom': 'A conversation without a name',
  'unread.earlier': 'Earlier messages that are not shown: {count}.',
  'unread.moreRooms': 'Further conversations: {count}.',
  'unread.encrypted': 'An encrypted message. Your app can show it.',
  'unread.invite': 'Invites you.',
  'unread.file': 'A file, picture or recording.',
  'unread.other': 'Something that your app can show.',
  'unread.why':
    'You get this because notifications by e-mail are switched on in an app of yours. You can switch them off there.',

  'error.wrongPassword': 'The name or the password is wrong.',
  'error.setupToken':
    'This link is not valid: it has been used, or the server has been started again since. It printed the current one when it started.',
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
