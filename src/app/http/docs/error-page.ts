import type { DocumentedError } from './error-catalogue.js';
import { escapeHtml, htmlPage } from './html.js';

/** The page that an error's `more_info` leads to. */
export function errorPage(code: string, entries: readonly DocumentedError[]): string {
  const sections = entries.map(
    ({ message, status, cause, remedy }) =>
      `<section><h2>${escapeHtml(message)}</h2><p>HTTP status ${status}</p><h3>Cause</h3><p>${escapeHtml(cause)}</p><h3>What to do</h3><p>${escapeHtml(remedy)}</p></section>`,
  );
  const main = `<main><h1>Error ${escapeHtml(code)}</h1>${sections.join('')}</main>`;
  return htmlPage(`Error ${code} - Trunkline`, `${main}<nav><a href="../../docs#errors">All errors</a></nav>`);
}
