import { readFile } from 'node:fs/promises';

/** pino's number of a warning. */
const WARNING = 40;
const MOST = 5;

/** Warnings and errors of a product's log by their text, most frequent first, at most five. */
export async function troublesOf(logFile: string): Promise<string[]> {
  const counts = new Map<string, number>();
  for (const line of (await readFile(logFile, 'utf8')).split('\n')) {
    const text = troubleOf(line);
    if (text !== null) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, MOST)
    .map(([text, count]) => `log: ${count} × ${text}`);
}

/** Null for what is no trouble, and for what is no line of the log, such as a warning of Node itself. */
function troubleOf(line: string): string | null {
  if (!line.startsWith('{')) return null;
  try {
    const { level, msg } = JSON.parse(line) as { level: number; msg: string };
    return level >= WARNING ? msg : null;
  } catch {
    return null;
  }
}
