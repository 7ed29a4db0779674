import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

interface Call {
  readonly id: number;
  readonly method: string;
  readonly argument: unknown;
}

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

interface Told {
  readonly event: unknown;
}

const LOADER = join(import.meta.dirname, '../../scripts/lib/typescript.mjs');
const STOP_MS = 5_000;

/** What a program of the harness answers, by method. */
export type Methods = Readonly<Record<string, (argument: never) => unknown>>;

/** A program of bench/programs in a process of its own, and a way to call it. */
export class Program<M extends Methods> {
  private readonly waiting = new Map<number, (reply: Reply) => void>();
  private count = 0;
  private listener: (event: unknown) => void = () => undefined;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (message: Reply | Told) => {
      if ('event' in message) this.listener(message.event);
      else this.waiting.get(message.id)?.(message);
    });
    child.once('exit', (code, signal) => {
      for (const [id, settle] of this.waiting) settle({ id, error: `the program ended (${code ?? signal})` });
    });
  }

  static start<M extends Methods>(name: string): Program<M> {
    const child = fork(join(import.meta.dirname, '../programs', `${name}.ts`), {
      execArgv: ['--import', LOADER],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    return new Program<M>(child);
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Hears what the program tells unasked. */
  onEvent(listener: (event: unknown) => void): void {
    this.listener = listener;
  }

  async call<K extends keyof M & string>(method: K, argument: Parameters<M[K]>[0]): Promise<Awaited<ReturnType<M[K]>>> {
    const id = this.count++;
    const reply = await new Promise<Reply>((resolve, reject) => {
      this.waiting.set(id, resolve);
      this.child.send({ id, method, argument } satisfies Call, (error) => error && reject(error));
    }).finally(() => this.waiting.delete(id));
    if (reply.error !== undefined) throw new Error(`${method}: ${reply.error}`);
    return reply.result as Awaited<ReturnType<M[K]>>;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    if (this.child.connected) this.child.disconnect();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(timer);
  }
}

/** The other side: answers calls until the harness is gone. Ctrl-C is the harness's to hear. */
export function serve(methods: Methods): void {
  process.on('SIGINT', () => undefined);
  process.on('disconnect', () => process.exit(0));
  process.on('message', (call: Call) => {
    void answer(methods, call).then((reply) => process.send?.(reply));
  });
}

/** Tells the harness something unasked. */
export function tell(event: unknown): void {
  process.send?.({ event } satisfies Told);
}

async function answer(methods: Methods, { id, method, argument }: Call): Promise<Reply> {
  try {
    return { id, result: await methods[method]!(argument as never) };
  } catch (error) {
    return { id, error: (error as Error).stack ?? String(error) };
  }
}
