import { escapeHtml, htmlTable } from './html.js';

/** What an account may send in a span of time, and how answers tell it. */
export function limitSection(): string {
  const rows = [
    [
      'X-RateLimit-Limit',
      'How many requests of this kind the window holds: of those that count, the one closest to its limit.',
    ],
    ['X-RateLimit-Remaining', 'How many it still has room for.'],
    [
      'X-RateLimit-Reset',
      'Seconds until there is room again, where there is none; else until the window is empty, if nothing more is sent.',
    ],
    [
      'Retry-After',
      'With a refusal (429): seconds to wait. After the last message of a day, until the day (UTC) ends.',
    ],
  ].map(([name, meaning]) => [`<code>${escapeHtml(name!)}</code>`, escapeHtml(meaning!)]);
  const tiers = [
    ['free', '100', '100', '100'],
    ['pro', '1,000', '10,000', '10,000'],
    ['enterprise', '5,000', '100,000', 'any number'],
  ];
  const text = [
    'The windows of a second and a minute slide: none ever holds more than its limit, wherever it begins.',
    'Every request to create a message counts, one that is refused later and one that is answered with an earlier answer too; for the day, only messages that were accepted.',
    'An account may have figures of its own. A subaccount has its own limits. All other requests of an account share 1,000 a second.',
  ];
  const paragraph = `<p>${escapeHtml(text.join(' '))}</p>`;
  const byTier = htmlTable('Messages by tier', ['Tier', 'In a second', 'In a minute', 'In a day (UTC)'], tiers);
  const headers = htmlTable('Headers', ['Header', 'Meaning'], rows);
  return `<section aria-labelledby="limits"><h2 id="limits">Limits</h2>${paragraph}${byTier}${headers}</section>`;
}
