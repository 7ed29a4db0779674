/** Injection token of the process's Settings. */
export const SETTINGS = Symbol('settings');

/** The process's log: structured lines, fields first. Secrets, numbers' texts and message bodies never go in. */
export abstract class Logger {
  abstract debug(fields: object, message: string): void;
  abstract info(fields: object, message: string): void;
  abstract warn(fields: object, message: string): void;
  abstract error(fields: object, message: string): void;
}
