import { escapeHtml, htmlTable } from '../html.js';
import { isExample } from './chapters.js';
import type { Block, Chapter } from './guide.js';

/** A chapter as HTML. */
export function chapterSection({ id, title, blocks }: Chapter): string {
  return `<section aria-labelledby="${id}"><h2 id="${id}">${escapeHtml(title)}</h2>${blocks.map(block).join('')}</section>`;
}

/** Code as it stands on the page. */
export function codeBlock(title: string, code: string): string {
  return `<figure><figcaption>${inline(title)}</figcaption><pre tabindex="0"><code>${escapeHtml(code)}</code></pre></figure>`;
}

function block(part: Block): string {
  if (typeof part === 'string') return `<p>${inline(part)}</p>`;
  if (isExample(part)) return codeBlock(part.title, part.code);
  return htmlTable(
    part.caption,
    part.columns,
    part.rows.map((row) => row.map(inline)),
  );
}

/** Text with `code` and [links](#id) as HTML. */
function inline(text: string): string {
  return escapeHtml(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\[([^\]]+)\]\((#[\w-]+)\)/g, '<a href="$2">$1</a>');
}
