import type { ChildProcess } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import type { OpenAPIObject } from '@nestjs/swagger';
import { examples } from '../../src/app/http/docs/guide/chapters.js';
import type { Example } from '../../src/app/http/docs/guide/guide.js';
import { GIVEN_FOR, operationExample } from '../../src/app/http/docs/operation-example.js';
import { type Entry, entriesOf } from '../../src/app/http/docs/operations.js';
import { SUMMARISED } from '../../src/app/http/docs/summaries.js';
import { call, send } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { canRun, ExampleRunner } from '../support/example-runner.js';
import {
  type DataDir,
  DEMO_NUMBER,
  DEMO_SID,
  DEMO_TOKEN,
  makeReadyDataDir,
  OPERATOR_TOKEN,
  type Product,
  startProduct,
} from '../support/product.js';
import { freePort } from '../torture/ports.js';

for (const [language, what] of [
  ['sh', 'curl'],
  ['py', "Twilio's package for Python"],
] as const) {
  if (!canRun(language)) console.warn(`${what} is not installed: its examples are read but not run`);
}

const START_MS = 90_000;
const NAMES = examples('').map(({ id }) => id);
/** Changes first, then what removes. */
const ORDER = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

let dir: DataDir;
let product: Product;
let page: string;
let document: OpenAPIObject;
let guide: ExampleRunner;
let receiver: ChildProcess | undefined;

beforeAll(async () => {
  dir = await makeReadyDataDir();
  product = await startProduct({ dataDir: dir.path });
  const port = String(await freePort());
  guide = new ExampleRunner({
    TRUNKLINE: product.url,
    ACCOUNT_SID: DEMO_SID,
    AUTH_TOKEN: DEMO_TOKEN,
    OPERATOR_TOKEN,
    FROM: DEMO_NUMBER,
    PORT: port,
    STATUS_CALLBACK: `http://127.0.0.1:${port}/status`,
  });
  page = (await call(product.url, '/docs')).text;
  document = JSON.parse((await call(product.url, '/openapi.json')).text) as OpenAPIObject;
}, START_MS);

afterAll(async () => {
  receiver?.kill();
  guide?.close();
  await product?.stop();
  await dir?.remove();
}, START_MS);

/** The code on the page, as a browser shows it. */
function codeOnPage(): string[] {
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  return [...page.matchAll(/<pre[^>]*><code>(.*?)<\/code><\/pre>/gs)].map(([, code = '']) =>
    code.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name] ?? ''),
  );
}

describe('the examples of the guide', () => {
  it.each(NAMES)('%s does what it says', async (id) => {
    const example = examples(product.url).find((each) => each.id === id)!;
    expect(codeOnPage()).toContain(example.code);
    if (!canRun(example.language)) return checkSyntax(example);
    if (example.runsOn) return startReceiver(example);
    const { code, stdout, stderr } = await guide.run(example);
    expect([id, code, stderr]).toEqual([id, 0, '']);
    for (const [variable, member] of Object.entries(example.sets ?? {})) {
      guide.variables[variable] = String((JSON.parse(stdout) as Record<string, unknown>)[member]);
    }
    await RESULTS[id]?.(stdout);
  });

  function checkSyntax({ language, code }: Example): void {
    if (language !== 'py' || spawnSync('python3', ['--version']).status !== 0) return;
    const { status, stderr } = spawnSync('python3', ['-c', `compile(${JSON.stringify(code)}, 'example', 'exec')`]);
    expect([status, String(stderr)]).toEqual([0, '']);
  }

  let heard = '';
  async function startReceiver(example: Example): Promise<void> {
    receiver = guide.start(example);
    receiver.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      heard += chunk;
    });
    const url = guide.variables.STATUS_CALLBACK!;
    const forged = () => fetch(url, { method: 'POST', body: new URLSearchParams({ MessageSid: 'SM1' }) });
    expect((await eventually(forged)).status).toBe(403);
  }

  /** What each has to show for itself, beside that it did not fail. */
  const RESULTS: Readonly<Record<string, (stdout: string) => Promise<void> | void>> = {
    'send-node': (stdout) => expect(stdout).toMatch(/^SM[0-9a-f]{32} queued\n$/),
    'fetch-curl': async (stdout) => {
      expect(JSON.parse(stdout)).toMatchObject({ sid: guide.variables.MESSAGE_SID, body: 'Hello' });
      const status = async () => (await guide.run(exampleOf('fetch-curl'))).stdout.includes('"status":"delivered"');
      await eventually(status, { everyMs: 200, what: 'the first message is delivered' });
    },
    idempotent: (stdout) => expect(new Set(stdout.match(/SM[0-9a-f]{32}(?=")/g))).toHaveProperty('size', 1),
    preview: (stdout) => expect(JSON.parse(stdout)).toMatchObject({ segments: 1 }),
    redact: (stdout) => expect(JSON.parse(stdout)).toMatchObject({ body: '' }),
    'send-with-callback': async (stdout) => {
      const { sid } = JSON.parse(stdout) as { sid: string };
      await eventually(() => heard.includes(`${sid} undelivered 30003`), { what: () => `it is told: ${heard}` });
    },
    watch: (stdout) => expect(stdout).toMatch(/trunkline_.*"ok":true,"checked"/s),
  };

  const exampleOf = (id: string) => examples(product.url).find((each) => each.id === id)!;
});

describe('the examples of the operations', () => {
  const entries = () =>
    entriesOf(document).sort(
      (a, b) => ORDER.indexOf(a.method) - ORDER.indexOf(b.method) || a.path.localeCompare(b.path),
    );

  /** Things that exist, for the variables in paths; what is made on the way is learned. */
  async function variables(): Promise<Record<string, string>> {
    const { sid } = await product.operator<{ sid: string }>('POST', 'accounts', { friendly_name: 'x', tier: 'free' });
    const message = await send(product.url, { To: '+15555550100', Body: 'x' });
    await eventually(async () => (await call(product.url, '/health/ready')).status === 200);
    return { ACCOUNT_SID: sid, MESSAGE_SID: message.sid, CARRIER_NAME: 'sim-smpp-1', ERROR_CODE: '21211' };
  }

  it('are there for nearly all, and stand on the page', () => {
    const made = entries().map((entry) => operationExample(document, entry));
    const shown = made.filter((example) => example !== null);
    expect(shown.length).toBeGreaterThan(0.9 * made.length);
    expect(shown.length).toBeGreaterThan(40);
    const onPage = codeOnPage();
    for (const { command } of shown) expect(onPage).toContain(command);
    // What is on the page is run: nothing else is shown as code.
    expect(onPage).toHaveLength(shown.length + NAMES.length);
  });

  it(
    'are accepted as they stand, or find nothing where they ask for what is not there',
    async () => {
      if (!canRun('sh')) return;
      const known = await variables();
      const refused: string[] = [];
      for (const entry of entries()) {
        const example = operationExample(document, entry);
        if (!example) continue;
        const { status, text } = await execute(entry, example.command, known);
        const isUnknown = example.variables.some((name) => known[name] === undefined && name !== 'ACCOUNT_SID');
        const isFine = (status >= 200 && status < 300) || status === 409 || (isUnknown && [400, 404].includes(status));
        if (!isFine) refused.push(`${entry.method} ${entry.path}: ${status} ${text.slice(0, 300)}\n${example.command}`);
        if (entry.method === 'POST' && status === 201) learn(entry, text, known);
      }
      expect(refused).toEqual([]);
    },
    START_MS,
  );

  async function execute({ audience, path }: Entry, command: string, known: Record<string, string>) {
    const own = audience === 'operator' ? {} : { ACCOUNT_SID: DEMO_SID, AUTH_TOKEN: DEMO_TOKEN };
    const simulated = path.includes('/simulator/') ? { CARRIER_NAME: 'sim-smpp-1' } : {};
    const unknown = Object.fromEntries([...command.matchAll(/\$([A-Z_]+)/g)].map(([, name]) => [name, 'unknown']));
    const base = { TRUNKLINE: product.url, OPERATOR_TOKEN };
    const runner = new ExampleRunner({ ...unknown, ...base, ...known, ...own, ...simulated });
    try {
      const { stdout, stderr } = await runner.run({
        language: 'sh',
        code: command.replace('curl ', "curl -w '\\n%{http_code}' "),
      });
      const [, text = '', status = ''] = /^(.*)\n(\d+)$/s.exec(stdout) ?? [];
      return { status: Number(status), text: text || stderr };
    } finally {
      runner.close();
    }
  }

  /** What an operation has made is what the paths below it ask for. */
  function learn({ path }: Entry, text: string, known: Record<string, string>): void {
    const made = JSON.parse(text) as Record<string, unknown>;
    for (const entry of entries()) {
      const [, name = ''] = new RegExp(`^${path.replace(/[{}.]/g, '\\$&')}/\\{(\\w+)\\}$`).exec(entry.path) ?? [];
      const variable = name && operationExample(document, entry)?.variables.at(-1);
      const value = made[name] ?? made.sid ?? made.id;
      if (variable && variable !== 'ACCOUNT_SID' && value !== undefined) known[variable] = String(value);
    }
  }

  it('are made from tables that name only what exists', () => {
    const all = entries().map(({ method, path }) => `${method} ${path}`);
    expect([...SUMMARISED, ...GIVEN_FOR].filter((name) => !all.includes(name))).toEqual([]);
    for (const { operation } of entries()) expect(operation.summary).toMatch(/^[A-Z].{3,}/);
  });
});
