import { PassThrough, Readable, Writable } from 'node:stream';
import { runCli } from '../../src/app/cli/run-cli.js';

export interface CliOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One run of the operator's command line, in this process. */
export async function cli(
  env: Readonly<Record<string, string | undefined>>,
  args: readonly string[],
  input = '',
): Promise<CliOutcome> {
  const [stdout, stderr] = [new Gathered(), new Gathered()];
  const stdin = Readable.from([Buffer.from(input)]).pipe(new PassThrough());
  const signal = new AbortController().signal;
  const code = await runCli({ env, args, stdin, stdout, stderr, signal });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

class Gathered extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
