import { escapeHtml, htmlTable } from './html.js';
import { UNSUPPORTED } from './unsupported.js';

/** What of Twilio's API there is not, and what serves in its place. */
export function unsupportedSection(): string {
  const rows = UNSUPPORTED.map(({ resource, paths, instead }) => [
    escapeHtml(resource),
    paths.map((path) => `<code>${escapeHtml(path)}</code>`).join(' '),
    escapeHtml(instead),
  ]);
  const text = "Of Twilio's API these are answered with 404 (20404).";
  const table = htmlTable('What serves in its place', ['At Twilio', 'Paths', 'Here'], rows);
  return `<section aria-labelledby="not-supported"><h2 id="not-supported">Not supported</h2><p>${text}</p>${table}</section>`;
}
