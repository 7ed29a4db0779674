import { Logger } from '../tokens.js';
import { Readiness, type ReadinessCheck } from './readiness.js';

class Recorder extends Logger {
  readonly warnings: object[] = [];
  debug(): void {}
  info(): void {}
  warn(fields: object): void {
    this.warnings.push(fields);
  }
  error(): void {}
}

const check = (name: string, run: () => Promise<void>): ReadinessCheck => ({ name, check: run });

describe('readiness', () => {
  it('is there while every check is well', async () => {
    const readiness = new Readiness(new Recorder());
    expect(await readiness.report()).toEqual({ ready: true, checks: {} });
    readiness.register(check('database', async () => {}));
    expect(await readiness.report()).toEqual({ ready: true, checks: { database: 'ok' } });
  });

  it('is gone when one fails, which is named; the reason goes to the log', async () => {
    const log = new Recorder();
    const readiness = new Readiness(log);
    const error = new Error('postgres://user:password@host');
    readiness.register(check('database', async () => Promise.reject(error)));
    readiness.register(check('queue', async () => {}));
    readiness.register(
      check('throwing', () => {
        throw error;
      }),
    );
    expect(await readiness.report()).toEqual({
      ready: false,
      checks: { database: 'failed', queue: 'ok', throwing: 'failed' },
    });
    expect(log.warnings).toContainEqual({ check: 'database', err: error });
  });

  it('does not wait for ever', async () => {
    const readiness = new Readiness(new Recorder());
    readiness.register(check('database', () => new Promise(() => {})));
    expect(await readiness.report()).toEqual({ ready: false, checks: { database: 'timed out' } });
  });

  it('is asked for once a second, by however many', async () => {
    const readiness = new Readiness(new Recorder());
    let runs = 0;
    readiness.register(
      check('database', async () => {
        runs += 1;
      }),
    );
    await Promise.all([readiness.report(10_000), readiness.report(10_500), readiness.report(10_999)]);
    expect(runs).toBe(1);
    await readiness.report(11_000);
    expect(runs).toBe(2);
    await readiness.report(5_000);
    expect(runs).toBe(3);
  });

  it('takes a name once', () => {
    const readiness = new Readiness(new Recorder());
    readiness.register(check('database', async () => {}));
    expect(() => readiness.register(check('database', async () => {}))).toThrow('exists already');
  });

  it('is gone for good when the process stops', async () => {
    const readiness = new Readiness(new Recorder());
    readiness.stop();
    expect(await readiness.report()).toEqual({ ready: false, checks: { process: 'stopping' } });
  });
});
