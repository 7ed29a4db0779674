import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cli } from '../../../test/support/cli.js';
import { COMMANDS } from './commands.js';

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'trunkline-cli-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('the command line', () => {
  it('says what there is, for whoever asks and for whoever does not know', async () => {
    const asked = await cli({}, ['--help']);
    const bare = await cli({}, []);
    expect([asked.code, bare.code, bare.stdout]).toEqual([0, 2, asked.stdout]);
    for (const { name, summary } of COMMANDS) {
      expect(asked.stdout).toContain(`  ${name}`);
      expect(asked.stdout).toContain(summary);
    }
    expect(asked.stdout).toContain('Exit codes: 0 done, 1 failed');
  });

  it.each(COMMANDS.map(({ name }) => name))('explains %s', async (name) => {
    const { code, stdout } = await cli({}, [...name.split(' '), '--help']);
    expect([code, stdout.startsWith(`usage: npm run cli -- ${name}`)]).toEqual([0, true]);
  });

  it.each([
    ['an unknown command', ['frobnicate', 'all'], 'there is no command frobnicate all'],
    ['half a command', ['accounts'], 'there is no command accounts'],
    ['a missing argument', ['backup'], 'usage: backup <file>'],
    ['an argument too many', ['restore', 'a', 'b'], 'usage: restore <file>'],
    ['an unknown option', ['health', '--fast'], "Unknown option '--fast'"],
    ['an option without its value', ['audit', '--from'], 'usage: audit'],
    ['a method that is none', ['api', 'BREW', 'carriers'], 'BREW is no method of HTTP'],
    ['a body that is no JSON', ['api', 'POST', 'accounts', '{'], 'the body is no JSON'],
    ['a URL that is none', ['carriers', 'list', '--url', 'ftp://example.com'], 'is no http or https URL'],
  ])('refuses %s with exit code 2', async (_, args, reason) => {
    const { code, stdout, stderr } = await cli({ OPERATOR_TOKEN: 'operator-token-of-the-tests' }, args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(reason);
    expect(stderr).not.toContain('    at ');
  });

  it('names a bad setting', async () => {
    const { code, stderr } = await cli({ PORT: 'x' }, ['carriers', 'list']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('PORT: must be a number')]);
  });

  it('asks for a token where none is given or kept', async () => {
    const { code, stderr } = await cli({ DATA_DIR: join(dir, 'none') }, ['carriers', 'list']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('set OPERATOR_TOKEN')]);
  });
});

describe('backup and restore', () => {
  const env = () => ({ DATA_DIR: join(dir, 'data') });

  it('refuse a database that is not theirs', async () => {
    const elsewhere = { DATABASE_URL: 'postgres://db/x', OPERATOR_TOKEN: 'o'.repeat(16), SECRETS_KEY: 's'.repeat(32) };
    for (const command of ['backup', 'restore']) {
      const { code, stderr } = await cli(elsewhere, [command, join(dir, 'x')]);
      expect([code, stderr]).toEqual([2, expect.stringContaining('DATABASE_URL is set')]);
    }
  });

  it('refuse to put a backup among the data, by whatever way the path leads there', async () => {
    const data = join(dir, 'own');
    await mkdir(join(data, 'backups'), { recursive: true });
    await symlink(data, join(dir, 'link'));
    for (const file of [join(data, 'new'), join(data, 'backups', 'new'), join(dir, 'link', 'new')]) {
      const { code, stderr } = await cli({ DATA_DIR: data }, ['backup', file]);
      expect([code, stderr]).toEqual([2, expect.stringContaining('lies in DATA_DIR')]);
    }
    await Promise.all([data, join(dir, 'link')].map((path) => rm(path, { recursive: true })));
  });

  it('say what is wrong with a file, and leave nothing', async () => {
    await writeFile(join(dir, 'taken'), 'mine');
    const outcomes = [
      [['backup', join(dir, 'new')], 'holds no database'],
      [['backup', join(dir, 'taken')], 'is there already'],
      [['backup', join(dir, 'no', 'where')], 'cannot be written'],
      [['restore', join(dir, 'missing')], 'there is no such file'],
      [['restore', dir], 'is no file'],
      [['restore', join(dir, 'taken')], 'damaged, or no backup'],
    ] as const;
    for (const [args, reason] of outcomes) {
      const { code, stderr } = await cli(env(), args);
      expect([args, code, stderr]).toEqual([args, 1, expect.stringContaining(reason)]);
    }
    expect((await readdir(dir)).sort()).toEqual(['data', 'taken']);
    expect(await readdir(join(dir, 'data'))).toEqual(['lock']);
  });
});

describe('a command that asks the operator API', () => {
  it('asks on this machine, and shows the token to no public address', async () => {
    const asked: string[] = [];
    const listen = async (name: string) => {
      const server = createServer((request, response) => {
        asked.push(`${name} ${request.url} ${request.headers.authorization}`);
        response.end('{"ok":true}');
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    };
    const [own, front] = [await listen('own'), await listen('front')];
    const portOf = (server: Server) => (server.address() as AddressInfo).port;
    const env = { OPERATOR_TOKEN: 'operator-token-of-the-tests', PORT: String(portOf(own)), HOST: '0.0.0.0' };
    const PUBLIC_URL = `http://127.0.0.1:${portOf(front)}`;
    expect((await cli({ ...env, PUBLIC_URL }, ['audit'])).code).toBe(0);
    expect((await cli(env, ['audit', '--url', PUBLIC_URL])).code).toBe(0);
    const bearer = `Bearer ${env.OPERATOR_TOKEN}`;
    expect(asked).toEqual([`own /v1/operator/audit ${bearer}`, `front /v1/operator/audit ${bearer}`]);
    for (const server of [own, front]) server.close();
  });
});

describe('health', () => {
  let server: Server;
  let status = 200;
  const env = () => ({ PORT: String((server.address() as AddressInfo).port), HOST: '0.0.0.0' });

  beforeAll(async () => {
    server = createServer((request, response) => response.writeHead(status).end(`{"path":"${request.url}"}`));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('tells by its exit code what the product answers', async () => {
    expect(await cli(env(), ['health'])).toMatchObject({ code: 0, stdout: expect.stringContaining('/health/ready') });
    expect(await cli(env(), ['health', '--live'])).toMatchObject({ code: 0, stdout: expect.stringContaining('/live') });
    status = 503;
    expect(await cli(env(), ['health'])).toMatchObject({ code: 1 });
  });

  it('is bad where nobody answers, and good for a worker, which listens nowhere', async () => {
    const nobody = await cli({ PORT: '1' }, ['health']);
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('http://127.0.0.1:1/health/ready')]);
    expect((await cli({ PORT: '1', ROLES: 'worker' }, ['health'])).code).toBe(0);
  });
});
