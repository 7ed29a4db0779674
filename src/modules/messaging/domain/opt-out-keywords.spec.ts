import {
  DEFAULT_OPT_OUT_SETTINGS,
  keywordFault,
  keywordForm,
  type OptOutSettings,
  optOutTypeOf,
} from './opt-out-keywords.js';

const meaning = (text: string, settings: OptOutSettings = DEFAULT_OPT_OUT_SETTINGS) => optOutTypeOf(text, settings);

const GERMAN: OptOutSettings = {
  STOP: { keywords: ['Abmelden', 'Große Pause'], reply: 'Abgemeldet.' },
  START: { keywords: ['Anmelden'], reply: null },
  HELP: { keywords: ['Hilfe'], reply: null },
};

describe('a keyword', () => {
  it.each([
    ...['STOP', 'STOPALL', 'UNSUBSCRIBE', 'END', 'QUIT', 'CANCEL', 'REVOKE', 'OPTOUT'].map((word) => [word, 'STOP']),
    ...['START', 'YES', 'UNSTOP'].map((word) => [word, 'START']),
    ...['HELP', 'INFO'].map((word) => [word, 'HELP']),
  ])('%s means %s', (word, type) => {
    expect([meaning(word), meaning(word.toLowerCase())]).toEqual([type, type]);
  });

  it.each([
    ' stop ',
    'Stop.',
    'STOP!!!',
    '"stop"',
    '“Stop”',
    '«stop»',
    'st\u200bop',
    '\u202estop',
    'stop\n',
    'ＳＴＯＰ',
    'ｓｔｏｐ．',
    'stop 🛑',
    'stop \u2764\ufe0f',
    'stop all',
    'opt-out',
    'Opt out',
    '*STOP*',
    'S.T.O.P.',
    '\u0000stop',
  ])('is found in %j', (text) => {
    expect(meaning(text)).toBe('STOP');
  });

  it.each(['', ' ', '...', '🛑', 'stop it please', 'please stop', 'nonstop', 'stopp', 'yes please', 'helpful', 'ЅТОР'])(
    'is not found in %j',
    (text) => {
      expect(meaning(text)).toBeNull();
    },
  );

  it('is not looked for in a long text, whatever it is made of', () => {
    expect(meaning(`${' '.repeat(100)}stop`)).toBeNull();
    expect(meaning('!'.repeat(100_000))).toBeNull();
  });

  it('can be a customer’s own, and then the usual ones are none but STOP, START and HELP', () => {
    expect(
      ['abmelden', 'GROSSE PAUSE', 'große pause', 'anmelden!', 'HILFE?'].map((text) => meaning(text, GERMAN)),
    ).toEqual(['STOP', 'STOP', 'STOP', 'START', 'HELP']);
    expect(['stop', 'start', 'help'].map((text) => meaning(text, GERMAN))).toEqual(['STOP', 'START', 'HELP']);
    expect(['end', 'yes', 'info'].map((text) => meaning(text, GERMAN))).toEqual([null, null, null]);
  });
});

describe('settings', () => {
  it('are at fault where a word means two things, or nothing', () => {
    expect(keywordFault(DEFAULT_OPT_OUT_SETTINGS)).toBeNull();
    expect(keywordFault(GERMAN)).toBeNull();
    const help = (...keywords: string[]) => keywordFault({ ...GERMAN, HELP: { keywords, reply: null } });
    expect(help('ab-melden')).toMatchObject({ type: 'HELP' });
    expect(help('stop')).toMatchObject({ type: 'HELP' });
    expect(help('?!')).toMatchObject({ type: 'HELP' });
    expect(help('Hilfe', 'HILFE', 'help')).toBeNull();
  });

  it('compare what looks the same', () => {
    expect(keywordForm('Ａrrêt !')).toBe(keywordForm('arre\u0302t'));
  });
});
