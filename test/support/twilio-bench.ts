import { type Answer, basic, type Call, call, FORM, MESSAGES, send } from './api.js';
import { type Bystander, errorLines, openAccount, type Standing, sendSettled, standingOf } from './bystander.js';
import { eventually } from './eventually.js';
import { DEMO_NUMBER, makeReadyDataDir, type Product, startProduct } from './product.js';

/** A number that is the stranger's. */
export const STRANGERS_NUMBER = '+15550001111';
/** A create that would be accepted. */
export const VALID = { To: '+15555550199', From: DEMO_NUMBER, Body: 'hello' };

/** A product with a message and a stranger in it, of which requests to Twilio's API are made that must be refused. */
export class TwilioBench {
  /** Every code that was answered. */
  readonly codes = new Set<number>();

  private constructor(
    readonly product: Product,
    readonly stranger: Bystander,
    /** A message of the demo account, delivered and charged. */
    readonly own: string,
    /** A message of the stranger's. */
    readonly foreign: string,
    private readonly before: Standing,
    private readonly removeDir: () => Promise<void>,
  ) {}

  static async start(): Promise<TwilioBench> {
    const dir = await makeReadyDataDir();
    // A network that nobody has: loopback, which development allows otherwise, is refused.
    const env = { WEBHOOK_ALLOWED_CIDRS: '198.51.100.0/24' };
    const product = await startProduct({ dataDir: dir.path, env });
    const stranger = await openAccount(product, 'A stranger');
    const { sid, authorization } = stranger;
    await product.operator('POST', `accounts/${sid}/credits`, { amount: '1.00', key: 'one', reason: 'test' });
    await product.operator('POST', `accounts/${sid}/phone-numbers`, { phone_number: STRANGERS_NUMBER });
    const own = await sendSettled(product, '+15555550100', 'the only one');
    const params = { To: '+15555550101', From: STRANGERS_NUMBER, Body: 'of a stranger' };
    const { sid: foreign } = await send(product.url, params, {}, stranger);
    await eventually(
      async () => {
        const response = await call(product.url, '/v1/balance', { headers: { authorization } });
        return Number((JSON.parse(response.text) as { reserved: string }).reserved) === 0;
      },
      { what: "the stranger's message is charged" },
    );
    return new TwilioBench(product, stranger, own, foreign, await standingOf(product), dir.remove);
  }

  async stop(): Promise<void> {
    await this.product.stop();
    await this.removeDir();
  }

  /** A request with the demo account's credentials. */
  ask(path: string, request: Call = {}): Promise<Answer> {
    return call(this.product.url, path, { ...request, headers: { authorization: basic(), ...request.headers } });
  }

  /** A create whose parameters are valid but for those given; null leaves one out. */
  create(changes: Readonly<Record<string, string | null>>, headers: Record<string, string> = {}): Promise<Answer> {
    const all = Object.entries({ ...VALID, ...changes });
    const params = all.filter((pair): pair is [string, string] => pair[1] !== null);
    return this.createRaw(new URLSearchParams(params).toString(), headers);
  }

  /** A create with a body as it stands. */
  createRaw(body: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> {
    return this.ask(MESSAGES, { headers: { 'content-type': FORM, ...headers }, body });
  }

  /** The answer is Twilio's error, exactly, and says what is wrong. */
  expectRefused(answer: Answer, status: number, code: number, says?: string | RegExp): void {
    const body = JSON.parse(answer.text) as { message: string };
    expect({ http: answer.status, ...body }).toEqual({
      http: status,
      status,
      code,
      message: says instanceof RegExp ? expect.stringMatching(says) : expect.stringContaining(says ?? ''),
      more_info: `${this.product.url}/docs/errors/${code}`,
    });
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('x-request-id')).toMatch(/^\S+$/);
    expect(body.message.length).toBeGreaterThan(3);
    this.codes.add(code);
  }

  /** Nothing was sent, reserved or charged, nothing was an error of the product, and what it answered is documented. */
  async expectUnharmed(): Promise<void> {
    expect(await standingOf(this.product)).toEqual(this.before);
    expect(errorLines(this.product)).toEqual([]);
    expect((await call(this.product.url, '/health/ready')).status).toBe(200);
    expect(this.codes.size).toBeGreaterThan(5);
    for (const code of this.codes) {
      const page = await call(this.product.url, `/docs/errors/${code}`);
      expect([page.status, page.text]).toEqual([200, expect.stringContaining(String(code))]);
    }
  }
}
