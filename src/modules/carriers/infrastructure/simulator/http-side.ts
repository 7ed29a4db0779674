import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { OfferedSubmission, Verdict } from './submission-intake.js';

const MAX_BODY_BYTES = 64 * 1024;

const bodySchema = z.object({
  to: z.string().max(64),
  from: z.string().max(64),
  text: z.string().max(10_000),
  /** Where its receipt is wanted; nowhere if it is left out. */
  callback: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .nullish(),
});

/** HTTP status and code of each answer but the good one. */
const ANSWERS: Readonly<Record<Exclude<Verdict, 'accepted'>, readonly [status: number, code: string]>> = {
  throttled: [429, 'too_fast'],
  queue_full: [429, 'queue_full'],
  failed: [503, 'system_error'],
  bad_source: [400, 'invalid_sender'],
  bad_destination: [400, 'invalid_recipient'],
};

export interface HttpSubmission extends OfferedSubmission {
  readonly callback: string | null;
}

/** Answers with JSON. */
export function sayOver(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/**
 * The submission in a body; null where it is none, which is answered.
 *
 * @param isSilent whether the client is to hear nothing
 */
export function offeredOver(body: Buffer, response: ServerResponse, isSilent: () => boolean): HttpSubmission | null {
  const parsed = bodySchema.safeParse(parseJson(body));
  if (!parsed.success) {
    sayOver(response, 400, { error: { code: 'invalid_request' } });
    return null;
  }
  const { to: destination, from: source, text, callback = null } = parsed.data;
  const whole = { reference: null, part: null, parts: null };
  return {
    source,
    destination,
    callback,
    describe: () => ({ destination, source, text, ...whole, receiptDue: callback !== null }),
    answer: (verdict, id) => {
      if (isSilent()) return;
      if (verdict === 'accepted') sayOver(response, 201, { id });
      else sayOver(response, ANSWERS[verdict][0], { error: { code: ANSWERS[verdict][1] } });
    },
  };
}

/** The whole body; null where it is too long or the client has left. */
export async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request) {
      bytes += (chunk as Buffer).length;
      if (bytes > MAX_BODY_BYTES) {
        request.socket.destroy();
        return null;
      }
      chunks.push(chunk as Buffer);
    }
  } catch {
    return null;
  }
  return Buffer.concat(chunks);
}

/** Whether a header is the bearer token of that key. */
export function isKeyOf(authorization: string | undefined, key: string): boolean {
  return timingSafeEqual(digest(authorization ?? ''), digest(`Bearer ${key}`));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
