import type { LoggerService } from '@nestjs/common';
import type { Logger } from '../tokens.js';

/** Sends the framework's own lines into the process's log; its chatter about routes and modules goes to `debug`. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.logger.debug(contextOf(rest), textOf(message));
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.logger.debug(contextOf(rest), textOf(message));
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.logger.debug(contextOf(rest), textOf(message));
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.logger.warn(contextOf(rest), textOf(message));
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.logger.error({ ...contextOf(rest), ...errorOf(message, rest) }, textOf(message));
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.error(message, ...rest);
  }
}

/** The framework gives the name of the class that logs as the last argument. */
function contextOf(rest: readonly unknown[]): { context?: string } {
  const last = rest.at(-1);
  return typeof last === 'string' ? { context: last } : {};
}

function errorOf(message: unknown, rest: readonly unknown[]): object {
  const error = [message, ...rest].find((value) => value instanceof Error);
  if (error) return { err: error };
  const stack = rest.length > 1 && typeof rest[0] === 'string' ? rest[0] : undefined;
  return stack ? { stack } : {};
}

function textOf(message: unknown): string {
  if (message instanceof Error) return message.message;
  return typeof message === 'string' ? message : 'a message of the framework';
}
