import type { Command } from './command.js';

/** How a command is called, in one line. */
export function usageOf({ name, parameters, options = {} }: Command): string {
  const named = Object.entries(options).map(([option, { type }]) =>
    type === 'boolean' ? `[--${option}]` : `[--${option} <${option}>]`,
  );
  return [name, ...parameters, ...named].join(' ');
}

/** All commands with a line each. */
export function generalHelp(commands: readonly Command[]): string {
  const lines = commands.map((command) => `  ${usageOf(command)}\n      ${command.summary}`);
  return `usage: npm run cli -- <command>

${lines.join('\n')}

  <command> --help tells more. Settings come from the environment, as for the product. Exit codes: 0 done, 1 failed,
  2 called wrongly.
`;
}

/** One command in full. */
export function commandHelp(command: Command): string {
  return `usage: npm run cli -- ${usageOf(command)}\n\n${command.summary}\n\n${command.details}\n`;
}
