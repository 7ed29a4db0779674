import { parseArgs } from 'node:util';
import { readEnvironment, SettingsError } from '../../platform/settings/settings.js';
import { type Command, EXIT_FAILED, EXIT_OK, EXIT_USAGE, type Terminal, UsageError } from './command.js';
import { COMMANDS } from './commands.js';
import { commandHelp, generalHelp, usageOf } from './help.js';

/** As shells have it: ended by SIGINT. */
const ENDED_BY_SIGINT = 130;

export interface CliCall extends Partial<Terminal> {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly args: readonly string[];
}

/** One run of the command line; resolves with its exit code, and never rejects: what fails is told in plain words. */
export async function runCli({ env, args, ...given }: CliCall): Promise<number> {
  const interrupt = new AbortController();
  const abort = () => interrupt.abort(new Error('interrupted'));
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, abort);
  const { stdin, stdout, stderr, signal }: Terminal = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: interrupt.signal,
    ...given,
  };
  try {
    return await dispatch(env, args, { stdin, stdout, stderr, signal });
  } catch (error) {
    if (signal.aborted) return ENDED_BY_SIGINT;
    return tell(error, stderr);
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.removeListener(name, abort);
  }
}

async function dispatch(env: CliCall['env'], args: readonly string[], terminal: Terminal): Promise<number> {
  const [first = '--help'] = args;
  if (['--help', '-h', 'help'].includes(first)) {
    terminal.stdout.write(generalHelp(COMMANDS));
    return args.length === 0 ? EXIT_USAGE : EXIT_OK;
  }
  const command = COMMANDS.find(({ name }) => args.slice(0, name.split(' ').length).join(' ') === name);
  if (!command) throw new UsageError(`there is no command ${args.slice(0, 2).join(' ')}`);
  const rest = args.slice(command.name.split(' ').length);
  if (rest.includes('--help')) {
    terminal.stdout.write(commandHelp(command));
    return EXIT_OK;
  }
  const { values, positionals } = read(command, rest);
  return command.run({ ...terminal, environment: readEnvironment(env), positionals, options: values });
}

function read(command: Command, args: readonly string[]) {
  const required = command.parameters.filter((parameter) => parameter.startsWith('<')).length;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: command.options ?? {},
      allowPositionals: true,
    });
    if (positionals.length >= required && positionals.length <= command.parameters.length) {
      return { values: values as Record<string, string | boolean | undefined>, positionals };
    }
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nusage: ${usageOf(command)}`);
  }
  throw new UsageError(`usage: ${usageOf(command)}`);
}

function tell(error: unknown, stderr: Terminal['stderr']): number {
  const { message } = error as Error;
  if (error instanceof UsageError) {
    stderr.write(`${message}\n--help lists the commands\n`);
    return EXIT_USAGE;
  }
  if (error instanceof SettingsError) stderr.write(`these settings are missing or bad:\n${message}\n`);
  else stderr.write(`${message}\n`);
  return EXIT_FAILED;
}
