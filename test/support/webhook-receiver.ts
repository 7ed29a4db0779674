import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import twilio from 'twilio';

export interface ReceivedCallback {
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly signatureValid: boolean;
  readonly traceparent: string | undefined;
}

/** A customer's endpoint: records what it is told and checks every signature with Twilio's own package. */
export class WebhookReceiver {
  readonly received: ReceivedCallback[] = [];
  /** Decides each answer's status, or a TwiML document; 204 by default. None, and it hangs. */
  answer: (callback: ReceivedCallback) => number | string | null = () => 204;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(authToken: string): Promise<WebhookReceiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const receiver = new WebhookReceiver(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const params = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString('utf8')));
        const path = request.url ?? '';
        const signature = String(request.headers['x-twilio-signature'] ?? '');
        const signatureValid = twilio.validateRequest(authToken, signature, receiver.url + path, params);
        const traceparent = request.headers.traceparent as string | undefined;
        const callback = { path, params, signatureValid, traceparent };
        receiver.received.push(callback);
        const answer = receiver.answer(callback);
        if (typeof answer === 'string') response.writeHead(200, { 'content-type': 'text/xml' }).end(answer);
        else if (answer !== null) response.writeHead(answer).end();
      });
    });
    return receiver;
  }

  /** The statuses that a message's callbacks told, in the order in which they came, repetitions left out. */
  statusesOf(messageSid: string): string[] {
    const statuses: string[] = [];
    for (const { params } of this.received) {
      if (params.MessageSid !== messageSid) continue;
      const status = params.MessageStatus!;
      if (!statuses.includes(status)) statuses.push(status);
    }
    return statuses;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
