import { runCli } from './app/cli/run-cli.js';

process.exitCode = await runCli({ env: process.env, args: process.argv.slice(2) });
