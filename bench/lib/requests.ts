import { request } from 'node:http';

/** Who sends. */
export interface Sender {
  readonly sid: string;
  readonly token: string;
  readonly from: string;
}

export interface MessageOptions {
  /** Destinations are this and seven digits, so that a run's messages are known by it. */
  readonly toPrefix?: string;
  readonly callback?: string;
  readonly intent?: string;
}

/** What the load process sends: text with `#######` where the number of the request goes. */
export function messageRequest(sender: Sender, options: MessageOptions = {}): string {
  const { toPrefix = '+1555', callback, intent } = options;
  const body = [
    `To=${encodeURIComponent(toPrefix)}#######`,
    `From=${encodeURIComponent(sender.from)}`,
    'Body=Your+code+is+######.+It+is+good+for+ten+minutes.+Order+##########.',
    ...(callback === undefined ? [] : [`StatusCallback=${encodeURIComponent(callback)}`]),
    ...(intent === undefined ? [] : [`MessageIntent=${intent}`]),
  ].join('&');
  return [
    `POST /2010-04-01/Accounts/${sender.sid}/Messages.json HTTP/1.1`,
    ...commonHeaders(sender),
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

export function getRequest(sender: Sender, path: string): string {
  return [`GET ${path} HTTP/1.1`, ...commonHeaders(sender), '', ''].join('\r\n');
}

export function fetchPath(sender: Sender, messageSid: string): string {
  return `/2010-04-01/Accounts/${sender.sid}/Messages/${messageSid}.json`;
}

export function listPath(sender: Sender, query = 'PageSize=50'): string {
  return `/2010-04-01/Accounts/${sender.sid}/Messages.json?${query}`;
}

/** A GET without ceremony, for the harness's own looks. */
export function getJson<T>(url: string, path: string, sender: Sender): Promise<T> {
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { headers: { authorization: basic(sender) } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(JSON.parse(text) as T);
        else reject(new Error(`${path} was answered with ${response.statusCode}: ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

function commonHeaders(sender: Sender): string[] {
  return [
    'Host: 127.0.0.1',
    `Authorization: ${basic(sender)}`,
    'User-Agent: twilio-node/6.2.0 (linux x64) node/24.21.0',
    'Accept: application/json',
    'Accept-Charset: utf-8',
    'Connection: keep-alive',
  ];
}

function basic(sender: Sender): string {
  return `Basic ${Buffer.from(`${sender.sid}:${sender.token}`).toString('base64')}`;
}
