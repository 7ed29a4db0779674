import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Example, Language } from '../../src/app/http/docs/guide/guide.js';

const TIMEOUT_MS = 30_000;
const RUNNERS: Readonly<Record<Language, readonly string[]>> = {
  sh: ['sh', '-euc'],
  js: [process.execPath, '--input-type=module', '-e'],
  py: ['python3', '-c'],
};

export interface ExampleOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs examples as a reader does who copies them, each in a shell of its own; an HTTP error fails those with curl. */
export class ExampleRunner {
  private readonly home = mkdtempSync(join(tmpdir(), 'trunkline-examples-'));

  constructor(readonly variables: Record<string, string>) {
    writeFileSync(join(this.home, '.curlrc'), 'fail-with-body\nsilent\nshow-error\n');
  }

  async run({ language, code }: Pick<Example, 'language' | 'code'>): Promise<ExampleOutcome> {
    const child = this.start({ language, code });
    const [stdout, stderr] = [gather(child.stdout!), gather(child.stderr!)];
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
    clearTimeout(timer);
    return { code: status, stdout: stdout(), stderr: stderr() };
  }

  start({ language, code }: Pick<Example, 'language' | 'code'>): ChildProcess {
    const [program = '', ...args] = RUNNERS[language];
    return spawn(program, [...args, code], {
      env: { PATH: process.env.PATH, CURL_HOME: this.home, HOME: this.home, ...this.variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  close(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** Whether examples of a language can be run here: curl, Twilio's package for Python. */
export function canRun(language: Language): boolean {
  if (language === 'js') return true;
  if (language === 'sh') return spawnSync('curl', ['--version']).status === 0;
  return spawnSync('python3', ['-c', 'import twilio']).status === 0;
}

function gather(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}
