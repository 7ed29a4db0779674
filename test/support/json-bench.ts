import { type Answer, basic, type Call, call, JSON_TYPE } from './api.js';
import { type Bystander, errorLines, openAccount, type Standing, sendSettled, standingOf } from './bystander.js';
import { DEMO_SID, makeReadyDataDir, OPERATOR_TOKEN, type Product, startProduct } from './product.js';

/** The operator's lists whose content requests could change. */
export const OPERATOR_LISTS = [
  'accounts',
  `accounts/${DEMO_SID}/credits`,
  `accounts/${DEMO_SID}/keys`,
  'rates',
  'carriers',
  'routes',
];

interface Problem {
  readonly detail: string;
  readonly errors?: { field: string; message: string }[];
}

type Everything = Standing & { readonly lists: unknown };

/** A product with a message and a stranger in it, of which requests in JSON are made that must be refused. */
export class JsonBench {
  private constructor(
    readonly product: Product,
    readonly stranger: Bystander,
    /** A message of the demo account, delivered and charged. */
    readonly own: string,
    private readonly before: Everything,
    private readonly removeDir: () => Promise<void>,
  ) {}

  static async start(): Promise<JsonBench> {
    const dir = await makeReadyDataDir();
    const product = await startProduct({ dataDir: dir.path });
    const stranger = await openAccount(product, 'A stranger');
    const own = await sendSettled(product, '+15555550100', 'the only one');
    return new JsonBench(product, stranger, own, await everythingOf(product), dir.remove);
  }

  async stop(): Promise<void> {
    await this.product.stop();
    await this.removeDir();
  }

  /** A request with the credentials that its path wants: the operator's, or the demo account's. */
  ask(path: string, request: Call = {}): Promise<Answer> {
    const authorization = path.startsWith('/v1/operator/') ? `Bearer ${OPERATOR_TOKEN}` : basic();
    return call(this.product.url, path, { ...request, headers: { authorization, ...request.headers } });
  }

  /** The same with a body. */
  write(method: string, path: string, body: string | Buffer, type = JSON_TYPE): Promise<Answer> {
    return this.ask(path, { method, headers: { 'content-type': type }, body });
  }

  /** The answer is a problem of RFC 9457, with the field at fault where one is given. */
  expectProblem(answer: Answer, status: number, code: number, field?: string): void {
    const { detail, errors, ...rest } = JSON.parse(answer.text) as Problem;
    expect({ http: answer.status, ...rest }).toEqual({
      http: status,
      status,
      code,
      type: `${this.product.url}/docs/errors/${code}`,
      title: expect.stringMatching(/\S{3}/),
      request_id: answer.headers.get('x-request-id'),
    });
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(detail).toMatch(/\S{3}/);
    for (const error of errors ?? []) expect(error).toEqual({ field: expect.any(String), message: expect.any(String) });
    if (field !== undefined) expect(errors?.map((error) => error.field)).toContain(field);
  }

  /** Nothing was changed, sent, reserved or charged, and nothing was an error of the product. */
  async expectUnharmed(): Promise<void> {
    expect(await everythingOf(this.product)).toEqual(this.before);
    expect((await this.ask('/v1/balance')).status).toBe(200);
    expect(errorLines(this.product)).toEqual([]);
  }
}

/** What no refused request may have changed. How the carriers fare is left out: that changes by itself. */
async function everythingOf(product: Product): Promise<Everything> {
  const lists = await Promise.all(
    OPERATOR_LISTS.map(async (path) => {
      const { data } = await product.operator<{ data: Record<string, unknown>[] }>('GET', path);
      return data.map(({ status_at, quality, session, pace, breaker, bulkhead, stale, ...rest }) => rest);
    }),
  );
  return { ...(await standingOf(product)), lists };
}
