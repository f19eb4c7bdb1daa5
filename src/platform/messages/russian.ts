import type { Catalogue } from './catalogue.ts';

export const russian: Catalogue = {
  'startPage.title': '{serverName}: сервер Matrix',
  'startPage.running': 'Сервер работает.',
  'startPage.serverName': 'Имя сервера',
};
