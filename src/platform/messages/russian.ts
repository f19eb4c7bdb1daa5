import type { Catalogue } from './message-key.ts';

export const russian: Catalogue = {
  'startPage.title': '{serverName}: сервер Matrix',
  'startPage.running': 'Сервер работает.',
  'startPage.notReady': 'Сейчас работает не всё ({problem}).',
  'startPage.serverName': 'Имя сервера',
  'startPage.address': 'Адрес для приложений',
  'startPage.software': 'Программа',
  'startPage.registration': 'Новые учётные записи',
  'startPage.registrationOpen': 'Зарегистрироваться может любой.',
  'startPage.registrationToken': 'Зарегистрироваться может тот, у кого есть код регистрации.',
  'startPage.registrationClosed': 'Учётные записи создают администраторы.',
  'startPage.otherLanguage': 'In English (по-английски)',

  'connect.heading': 'Как подключиться',
  'connect.intro':
    'Сервер работает по протоколу Matrix, поэтому подойдёт любое приложение для Matrix. Например, Element:',
  'connect.get': 'Установите Element на телефон или компьютер.',
  'connect.getLink': 'Скачать Element',
  'connect.homeserver': 'Нажмите «Войти» и замените домашний сервер на этот адрес:',
  'connect.signIn': 'Войдите под своим именем и паролем. Для других вы — {example}.',
  'connect.otherApps': 'Другие приложения',

  'setup.heading': 'Первый администратор',
  'setup.due':
    'У сервера пока нет администратора. Откройте одноразовую ссылку, которую сервер вывел при запуске, или выполните команду:',
  'setup.nameInCommand': 'ИМЯ',
  'setup.intro': 'Выберите имя и пароль. Эта учётная запись сможет создавать все остальные.',
  'setup.submit': 'Создать администратора',

  'field.name': 'Имя',
  'field.nameHint': 'Строчные латинские буквы, цифры и знаки ._=-/+',
  'field.password': 'Пароль',
  'field.passwordHint': 'Длина пароля — не меньше {length}.',
  'field.user': 'Имя или идентификатор пользователя',

  'signIn.heading': 'Администраторам',
  'signIn.submit': 'Войти',
  'signIn.as': 'Вы вошли как {userId}.',
  'signIn.signOut': 'Выйти',

  'account.heading': 'Создать учётную запись',
  'account.isAdmin': 'Этот человек управляет сервером',
  'account.submit': 'Создать учётную запись',
  'account.made': 'Учётная запись {userId} готова. Передайте имя и пароль человеку безопасным способом.',

  'token.heading': 'Создать код регистрации',
  'token.intro': 'Тот, у кого есть код, сможет зарегистрироваться без вашего участия.',
  'token.closed': 'Регистрация выключена в настройках (registration.enabled), поэтому пока код бесполезен.',
  'token.uses': 'Сколько учётных записей',
  'token.usesHint': 'Пусто — сколько угодно.',
  'token.days': 'Сколько дней действует',
  'token.daysHint': 'Пусто — бессрочно.',
  'token.submit': 'Создать код',
  'token.made': 'Новый код регистрации:',

  'error.wrongPassword': 'Неверное имя или пароль.',
  'error.setupToken':
    'Ссылка недействительна: ею уже воспользовались или сервер с тех пор перезапустили. Действующую ссылку сервер вывел при запуске.',
  'error.setupDone': 'Администратор уже есть. Войдите ниже.',
  'error.notAdministrator': 'Здесь могут войти только администраторы. Все остальные входят через приложение.',
  'error.invalidUsername': 'В имени есть недопустимые знаки, или оно слишком длинное.',
  'error.userInUse': 'Это имя занято.',
  'error.weakPassword': 'Пароль слишком простой. Нужна длина не меньше {length}.',
  'error.limitExceeded': 'Слишком много попыток. Повторите через {seconds} с.',
  'error.signedOut': 'Вы больше не в системе. Войдите и повторите.',
  'error.foreignForm': 'Форма отправлена не с этой страницы или устарела. Повторите.',
  'error.badNumber': 'Введите целое число от 1 до {max} или оставьте поле пустым.',
  'error.other': 'Не получилось: {message}',
};
