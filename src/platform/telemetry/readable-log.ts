import type { DestinationStream } from 'pino';

const LEVELS: Record<number, string> = { 10: 'TRACE', 20: 'DEBUG', 30: 'INFO ', 40: 'WARN ', 50: 'ERROR', 60: 'FATAL' };
const OWN_MEMBERS = new Set(['level', 'time', 'msg', 'err', 'pid', 'hostname']);

/** Turns the log's JSON lines into lines for people, for development: time, level, message, fields, an error's stack. */
export function readableStream(write: (text: string) => void): DestinationStream {
  return { write: (line) => write(readable(line)) };
}

function readable(line: string): string {
  const entry = JSON.parse(line) as Record<string, unknown>;
  const time = new Date(Number(entry.time)).toISOString().slice(11, 23);
  const fields = Object.entries(entry)
    .filter(([name]) => !OWN_MEMBERS.has(name))
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('');
  const error = entry.err as { stack?: string; message?: string } | undefined;
  const trouble = error ? `\n    ${(error.stack ?? error.message ?? '').replaceAll('\n', '\n    ')}` : '';
  return `${time} ${LEVELS[Number(entry.level)] ?? entry.level} ${entry.msg ?? ''}${fields}${trouble}\n`;
}
