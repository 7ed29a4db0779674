import { type DestinationStream, destination, type LevelWithSilent, type Logger as Pino, pino } from 'pino';
import { Logger } from '../tokens.js';
import { safeFields } from './log-safety.js';
import { readableStream } from './readable-log.js';

export interface LoggerOptions {
  readonly level: LevelWithSilent;
  /** Lines for people in place of JSON. */
  readonly dev: boolean;
  /** Where the lines go; standard output where it is missing. */
  readonly write?: (line: string) => void;
}

/** The process's log on pino: one JSON object a line, secrets and bodies censored whoever logs them. */
export class PinoLogger extends Logger {
  private constructor(private readonly pino: Pino) {
    super();
  }

  static create({ level, dev, write }: LoggerOptions): PinoLogger {
    const formatters = { log: safeFields };
    const options = { level, formatters, serializers: { err: passThrough }, base: { pid: process.pid } };
    return new PinoLogger(pino(options, stream(dev, write)));
  }

  /** A log whose every line carries these fields too. */
  child(bindings: object): PinoLogger {
    return new PinoLogger(this.pino.child(safeFields(bindings)));
  }

  /** Whether a line of this level would be written: lets a caller save itself the trouble of making it. */
  isLevelEnabled(level: 'debug' | 'info' | 'warn' | 'error'): boolean {
    return this.pino.isLevelEnabled(level);
  }

  debug(fields: object, message: string): void {
    this.pino.debug(fields, message);
  }

  info(fields: object, message: string): void {
    this.pino.info(fields, message);
  }

  warn(fields: object, message: string): void {
    this.pino.warn(fields, message);
  }

  error(fields: object, message: string): void {
    this.pino.error(fields, message);
  }
}

function stream(dev: boolean, write: LoggerOptions['write']): DestinationStream {
  if (dev) return readableStream(write ?? ((text) => process.stdout.write(text)));
  return write ? { write } : destination(1);
}

/** safeFields has reduced the error before the serializers run. */
function passThrough(value: unknown): unknown {
  return value;
}
