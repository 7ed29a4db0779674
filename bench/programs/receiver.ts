/** Receives callbacks and does as little as a receiver can: reads, remembers, answers. */
import { createServer, type Socket } from 'node:net';
import { nowMs } from '../lib/clock.js';
import { listenOn } from '../lib/ports.js';
import { serve } from '../lib/program.js';
import type { Callback, ReceiverMethods } from '../lib/receiver.js';

const ANSWER = Buffer.from('HTTP/1.1 204 No Content\r\n\r\n');
const HEAD_END = '\r\n\r\n';

let requests = 0;
let unsigned = 0;
let callbacks: Callback[] = [];

function take(socket: Socket): void {
  let text = '';
  socket.setNoDelay(true).on('error', () => undefined);
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
    for (let end = endOf(text); end >= 0; end = endOf(text)) {
      record(text.slice(0, end));
      text = text.slice(end);
      socket.write(ANSWER);
    }
  });
}

/** Where the first request ends; -1 while it has not come whole. */
function endOf(text: string): number {
  const head = text.indexOf(HEAD_END);
  if (head < 0) return -1;
  const length = /content-length: *(\d+)/i.exec(text.slice(0, head))?.[1] ?? '0';
  const end = head + HEAD_END.length + Number(length);
  return text.length < end ? -1 : end;
}

function record(request: string): void {
  requests += 1;
  if (!/x-twilio-signature: *\S/i.test(request)) unsigned += 1;
  const messageSid = /MessageSid=(\w+)/.exec(request)?.[1];
  const status = /MessageStatus=(\w+)/.exec(request)?.[1];
  if (messageSid && status) callbacks.push({ messageSid, status, atMs: nowMs() });
}

const methods: ReceiverMethods = {
  listen: (ports) => Promise.all(Array.from({ length: ports }, () => listenOn(createServer(take), 0))),
  counts: () => {
    const { user, system } = process.cpuUsage();
    return {
      requests,
      distinct: new Set(callbacks.map(({ messageSid, status }) => `${messageSid} ${status}`)).size,
      unsigned,
      firstMs: callbacks[0]?.atMs ?? 0,
      lastMs: callbacks.at(-1)?.atMs ?? 0,
      cpuMicros: user + system,
    };
  },
  callbacks: () => callbacks,
  reset: () => {
    requests = 0;
    unsigned = 0;
    callbacks = [];
  },
};
serve(methods);
