/** The baseline of callbacks: the HTTP client that the product uses, alone, with a callback's headers and body. */
import { Pool } from 'undici';
import { nowMs } from '../lib/clock.js';
import type { ClientMethods } from '../lib/http-client.js';
import { serve } from '../lib/program.js';

const SID = 'SM0190000000007000800000000000';
const HEADERS = {
  'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
  'user-agent': 'TwilioProxy/1.1',
  'x-twilio-signature': 'Np1nax6uFoY6qpfT5l9jWwJeit0=',
  'i-twilio-idempotency-token': '01900000-0000-7000-8000-000000000000',
};

const methods: ClientMethods = {
  run: async ({ urls, connectionsPerUrl, durationMs }) => {
    const pools = urls.map((url) => new Pool(url, { connections: connectionsPerUrl, pipelining: 1 }));
    let answered = 0;
    const startedMs = nowMs();
    const loops = pools.flatMap((pool) =>
      Array.from({ length: connectionsPerUrl }, async () => {
        while (nowMs() - startedMs < durationMs) {
          const body = `MessageSid=${SID}${1000 + (answered % 9000)}&MessageStatus=delivered&From=%2B15005551000&To=%2B15551234567&AccountSid=AC01900000000070008000000000000001&ApiVersion=2010-04-01`;
          const response = await pool.request({ path: '/status', method: 'POST', headers: HEADERS, body });
          await response.body.dump();
          answered += 1;
        }
      }),
    );
    await Promise.all(loops);
    const rate = (answered * 1_000) / (nowMs() - startedMs);
    await Promise.all(pools.map((pool) => pool.close()));
    return rate;
  },
};
serve(methods);
