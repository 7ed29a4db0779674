import { PinoLogger } from './logger.js';
import { NestLogger } from './nest-logger.js';

function capture(level: 'debug' | 'info' = 'info') {
  const lines: string[] = [];
  return { lines, log: PinoLogger.create({ level, dev: false, write: (line) => lines.push(line) }) };
}

const parsed = (line: string | undefined) => JSON.parse(line ?? '') as Record<string, unknown>;

describe('the log', () => {
  it('writes one JSON object a line, with the fields of its parents', () => {
    const { lines, log } = capture();
    log.child({ module: 'messaging' }).info({ count: 3, at: new Date(0), big: 12n }, 'done');
    expect(lines).toHaveLength(1);
    expect(parsed(lines[0])).toMatchObject({
      level: 30,
      msg: 'done',
      module: 'messaging',
      count: 3,
      at: '1970-01-01T00:00:00.000Z',
      big: '12',
    });
  });

  it('keeps to its level', () => {
    const { lines, log } = capture('info');
    log.debug({}, 'no');
    log.warn({}, 'yes');
    expect(lines.map((line) => parsed(line).msg)).toEqual(['yes']);
    expect([log.isLevelEnabled('debug'), log.isLevelEnabled('info')]).toEqual([false, true]);
  });

  it.each([
    { authorization: 'hunter2' },
    { headers: { Authorization: 'hunter2', cookie: 'hunter2' } },
    { account: { auth_token: 'hunter2', authToken: 'hunter2' } },
    { password: 'hunter2' },
    { carriers: [{ settings: { password: 'hunter2' } }] },
    { request: { Body: 'hunter2' } },
    { body: { text: 'hunter2' } },
    { operatorToken: 'hunter2', api_key_secret: 'hunter2', secretsKey: 'hunter2' },
    { bytes: Buffer.from('hunter2') },
    { err: Object.assign(new Error('failed'), { detail: 'Failing row contains (hunter2)', query: 'hunter2' }) },
    { err: new Error('failed', { cause: Object.assign(new Error('inner'), { config: { auth: 'hunter2' } }) }) },
  ])('censors secrets and bodies: %#', (fields) => {
    const { lines, log } = capture();
    log.error(fields, 'trouble');
    log.child(fields).error({}, 'trouble');
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toContain('hunter2');
  });

  it('keeps of an error what tells where it came from', () => {
    const { lines, log } = capture();
    const cause = Object.assign(new Error('inner'), { code: '23505', constraint: 'accounts_pkey' });
    log.error({ err: new TypeError('outer', { cause }) }, 'trouble');
    const { err } = parsed(lines[0]) as { err: Record<string, unknown> };
    expect(err).toMatchObject({ type: 'TypeError', message: 'outer' });
    expect(err.stack).toContain('logger.spec.ts');
    expect(err.cause).toMatchObject({ message: 'inner', code: '23505', constraint: 'accounts_pkey' });
  });

  it('takes of Prisma’s messages the last line, which quotes no argument', () => {
    const { lines, log } = capture();
    const error = new Error('\nInvalid `create()` invocation:\n{ body: "hunter2" }\n\nUnique constraint failed\n');
    error.name = 'PrismaClientValidationError';
    log.error({ err: error }, 'trouble');
    expect(lines.join()).not.toContain('hunter2');
    expect(parsed(lines[0]).err).toMatchObject({ message: 'Unique constraint failed' });
  });

  it('writes whatever it is given, within bounds', () => {
    const { lines, log } = capture();
    const circular: Record<string, unknown> = { text: 'x'.repeat(10_000), many: new Array(1_000).fill(1) };
    circular.self = circular;
    log.info({ circular, err: 'no error', nothing: null, missing: undefined }, 'odd');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.length).toBeLessThan(30_000);
  });

  it('is readable in development', () => {
    const lines: string[] = [];
    const log = PinoLogger.create({ level: 'info', dev: true, write: (line) => lines.push(line) });
    log.info({ port: 3000, name: 'x', list: [1] }, 'listening');
    log.error({ err: new Error('broken') }, 'trouble');
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}listening port=3000 name=x list=\[1\]\n$/);
    expect(lines[1]).toMatch(/ERROR trouble\n {4}Error: broken\n/);
  });
});

describe('the framework’s log', () => {
  it('goes the same way, its chatter at debug', () => {
    const { lines, log } = capture('debug');
    const nest = new NestLogger(log);
    nest.log('Mapped {/x, GET} route', 'RouterExplorer');
    nest.warn('odd', 'Injector');
    nest.error(new Error('broken'), undefined, 'ExceptionHandler');
    nest.fatal('worse', 'a stack', 'ExceptionHandler');
    nest.verbose({ an: 'object' });
    expect(lines.map((line) => [parsed(line).level, parsed(line).msg, parsed(line).context])).toEqual([
      [20, 'Mapped {/x, GET} route', 'RouterExplorer'],
      [40, 'odd', 'Injector'],
      [50, 'broken', 'ExceptionHandler'],
      [50, 'worse', 'ExceptionHandler'],
      [20, 'a message of the framework', undefined],
    ]);
    expect(parsed(lines[2]).err).toMatchObject({ message: 'broken' });
    expect(parsed(lines[3]).stack).toBe('a stack');
  });
});
