/** What a recipient asks for with a keyword; the value of `OptOutType` in a webhook. */
export const OPT_OUT_TYPES = ['STOP', 'START', 'HELP'] as const;
export type OptOutType = (typeof OPT_OUT_TYPES)[number];

/** The words that ask for one thing, and what is answered to them. */
export interface KeywordRule {
  /** As a customer wrote them: compared in their normal form. */
  readonly keywords: readonly string[];
  /** Null: nothing is answered. */
  readonly reply: string | null;
}

export type OptOutSettings = Readonly<Record<OptOutType, KeywordRule>>;

/** Longer texts are no keyword: they are not looked at. */
export const MAX_KEYWORD_LENGTH = 40;
export const MAX_KEYWORDS = 50;
/** A text may be dressed up more than a keyword is: with blanks, dots, quotation marks. */
const MAX_TEXT_LENGTH = 2 * MAX_KEYWORD_LENGTH;

/** Where nothing else is set: Twilio's keywords (Advanced Opt-Out's defaults with REVOKE and OPTOUT), answers of our own. */
export const DEFAULT_OPT_OUT_SETTINGS: OptOutSettings = {
  STOP: {
    keywords: ['STOP', 'STOPALL', 'UNSUBSCRIBE', 'END', 'QUIT', 'CANCEL', 'REVOKE', 'OPTOUT'],
    reply: 'You are unsubscribed and will receive no more messages from this number. Reply START to subscribe again.',
  },
  START: {
    keywords: ['START', 'YES', 'UNSTOP'],
    reply: 'You are subscribed again to messages from this number. Reply HELP for help, STOP to unsubscribe.',
  },
  HELP: { keywords: ['HELP', 'INFO'], reply: 'Reply STOP to unsubscribe. Message and data rates may apply.' },
};

/** What is left out when a text is compared: blanks, punctuation, symbols, control and format characters, emoji styles. */
const IGNORED = /[\p{White_Space}\p{P}\p{S}\p{C}\p{Variation_Selector}]/gu;

/**
 * The form in which keywords are compared: compatibility forms unified (full-width letters), case folded, and without
 * blanks and punctuation, so that `"Stop."`, `stop-all` and `ＳＴＯＰ` are what they mean. Empty for a text without any letter
 * or digit.
 */
export function keywordForm(text: string): string {
  return text.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC').replace(IGNORED, '');
}

/** What a text asks for, where the whole of it is a keyword; else null. STOP, START and HELP are always keywords. */
export function optOutTypeOf(text: string, settings: OptOutSettings): OptOutType | null {
  if (text.length > MAX_TEXT_LENGTH) return null;
  const form = keywordForm(text);
  if (form === '') return null;
  const named = OPT_OUT_TYPES.find((type) => keywordForm(type) === form);
  return (
    named ?? OPT_OUT_TYPES.find((type) => settings[type].keywords.some((word) => keywordForm(word) === form)) ?? null
  );
}

/** Where settings are at fault: two things under one word, or a word without letters. Null where they are not. */
export function keywordFault(settings: OptOutSettings): { type: OptOutType; detail: string } | null {
  const meant = new Map<string, OptOutType>(OPT_OUT_TYPES.map((type) => [keywordForm(type), type]));
  for (const type of OPT_OUT_TYPES) {
    for (const keyword of settings[type].keywords) {
      const form = keywordForm(keyword);
      if (form === '') return { type, detail: 'has a keyword without any letter or digit' };
      const other = meant.get(form);
      if (other !== undefined && other !== type) return { type, detail: `has a keyword that already means ${other}` };
      meant.set(form, type);
    }
  }
  return null;
}
