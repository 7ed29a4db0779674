import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from './clock.js';
import type { Sender } from './requests.js';

const CREATED = 201;
const BUSY = 503;
const BUSY_PAUSE_MS = 50;
const MAX_ATTEMPTS = 100;

/** One message, sent by the harness itself. */
export interface SentMessage {
  readonly sid: string;
  readonly to: string;
  /** When the request left. */
  readonly atMs: number;
}

/**
 * Sends single messages over a kept connection of its own, again where a busy product says 503, as clients do. Throws on
 * any other answer than 201.
 */
export class SingleSender {
  private readonly agent = new Agent({ keepAlive: true });
  private count = 0;

  constructor(
    private readonly url: string,
    private readonly sender: Sender,
    /** Destinations are this and seven digits. */
    private readonly toPrefix: string,
    private readonly params: Readonly<Record<string, string>> = {},
  ) {}

  /** How often it was told to come back. */
  refusals = 0;

  async send(): Promise<SentMessage> {
    const number = this.count++;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const sent = await this.trySend(number);
      if (sent !== null) return sent;
      this.refusals += 1;
      await delay(BUSY_PAUSE_MS);
    }
    throw new Error(`a message was refused ${MAX_ATTEMPTS} times`);
  }

  close(): void {
    this.agent.destroy();
  }

  /** Null where the product is busy. */
  private trySend(number: number): Promise<SentMessage | null> {
    const { sid, token, from } = this.sender;
    const to = this.toPrefix + String(1_000_000 + number);
    const body = new URLSearchParams({
      To: to,
      From: from,
      Body: `Single message ${number}`,
      ...this.params,
    }).toString();
    const headers = {
      authorization: `Basic ${Buffer.from(`${sid}:${token}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
    };
    return new Promise((resolve, reject) => {
      const atMs = nowMs();
      const path = `/2010-04-01/Accounts/${sid}/Messages.json`;
      const sent = request(this.url + path, { method: 'POST', agent: this.agent, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          if (response.statusCode === BUSY) resolve(null);
          else if (response.statusCode !== CREATED)
            reject(new Error(`a message was answered with ${response.statusCode}`));
          else resolve({ sid: (JSON.parse(text) as { sid: string }).sid, to, atMs });
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }
}
