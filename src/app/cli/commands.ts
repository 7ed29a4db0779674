import type { Command } from './command.js';

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const OPERATOR_DETAILS =
  "Asks the operator API of a running product: at --url, else on this machine, where HOST and PORT say. The token is\nOPERATOR_TOKEN's, else the one kept in DATA_DIR. Prints the answer as JSON.";

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  {
    name: 'backup',
    parameters: ['<file>'],
    summary: 'write all that is kept in DATA_DIR into one archive, while the product runs or not',
    details:
      'The archive holds the embedded database as of one instant, exactly, and the keys and tokens that read it: whoever\nhas it has everything. It is written with rights for you alone; - writes it to standard output, to be encrypted or\nsent on. An existing file is never overwritten.',
    run: async (invocation) => (await import('./backup-command.js')).runBackup(invocation),
  },
  {
    name: 'restore',
    parameters: ['<file>'],
    summary: 'make a data directory of a backup, in DATA_DIR, which must be empty',
    details:
      'Everything is checked before anything is put in its place; - reads standard input. What was queued at the moment of\nthe backup is sent by the restored product: read docs/backup.md before you start it.',
    run: async (invocation) => (await import('./backup-command.js')).runRestore(invocation),
  },
  {
    name: 'health',
    parameters: [],
    options: { live: flag },
    summary: 'ask the product on this machine whether it can serve; exit code 1 where it cannot',
    details: 'With --live: whether it runs at all. Without the role api there is nobody to ask, and the answer is yes.',
    run: async (invocation) => (await import('./health-command.js')).runHealth(invocation),
  },
  {
    name: 'accounts list',
    parameters: [],
    options: { url: text, limit: text, cursor: text },
    summary: 'the accounts, a page at a time',
    details: OPERATOR_DETAILS,
    run: async (invocation) => (await import('./operator-commands.js')).listAccounts(invocation),
  },
  {
    name: 'accounts create',
    parameters: ['<name>'],
    options: { url: text, tier: text },
    summary: 'open an account; its auth token is told here only (--tier free, pro or enterprise; free by default)',
    details: OPERATOR_DETAILS,
    run: async (invocation) => (await import('./operator-commands.js')).createAccount(invocation),
  },
  {
    name: 'credits add',
    parameters: ['<account>', '<amount>'],
    options: { url: text, key: text, reason: text },
    summary: 'credit an account; the same --key credits once, however often it is sent',
    details: OPERATOR_DETAILS,
    run: async (invocation) => (await import('./operator-commands.js')).addCredit(invocation),
  },
  {
    name: 'carriers list',
    parameters: [],
    options: { url: text },
    summary: 'the carriers and how they are',
    details: OPERATOR_DETAILS,
    run: async (invocation) => (await import('./operator-commands.js')).listCarriers(invocation),
  },
  {
    name: 'audit',
    parameters: [],
    options: { url: text, from: text, to: text },
    summary: 'check the invariants on live data; exit code 1 where one is violated',
    details: OPERATOR_DETAILS,
    run: async (invocation) => (await import('./operator-commands.js')).runAudit(invocation),
  },
  {
    name: 'api',
    parameters: ['<method>', '<path>', '[body]'],
    options: { url: text },
    summary: 'any other request to the operator API: api PATCH accounts/AC… \'{"tier": "pro"}\'',
    details: `${OPERATOR_DETAILS} The path is below /v1/operator/.`,
    run: async (invocation) => (await import('./operator-commands.js')).callApi(invocation),
  },
];
