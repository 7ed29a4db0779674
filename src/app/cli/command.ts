import type { Readable, Writable } from 'node:stream';
import type { ParseArgsOptionsConfig } from 'node:util';
import type { Environment } from '../../platform/settings/settings.js';

/** What a command has around it. */
export interface Terminal {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  /** What people read: results that no program wants, progress, errors. */
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** Ctrl-C: what is half done is taken back. */
  readonly signal: AbortSignal;
}

export interface Invocation extends Terminal {
  readonly environment: Environment;
  /** What follows the command's name, options left out: as many as its usage names. */
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

/** A command of the command line: its face here, its work loaded when it is called. */
export interface Command {
  /** One or two words. */
  readonly name: string;
  /** The arguments by name, such as `<file>`; one in brackets may be left out. */
  readonly parameters: readonly string[];
  readonly options?: ParseArgsOptionsConfig;
  readonly summary: string;
  /** For its own help: what a reader must know before it is run. */
  readonly details: string;
  /** Resolves with the exit code. Throws UsageError for what was called wrongly, any other Error for what failed. */
  readonly run: (invocation: Invocation) => Promise<number>;
}

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

/** It was called wrongly: nothing was done. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}
