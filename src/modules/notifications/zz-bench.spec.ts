import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startTestDatabase } from '../../../test/support/database.js';
import { eventually } from '../../../test/support/eventually.js';
import { withClient } from '../../../test/support/with-client.js';
import { OutboundHttpClient } from '../../platform/http-client/outbound-http-client.js';
import { newId } from '../../shared/sid.js';
import { messageDelivered, messageSent } from '../messaging/contract/messaging.events.js';
import { eventsOf, startNotifications } from './notifications.test-support.js';

it('bench', async () => {
  const child = spawn(process.execPath, ['/tmp/receiver.mjs'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout!, 'data');
  const url = `http://127.0.0.1:${Number(String(line))}/hook`;
  const N = 20000;
  const client = new OutboundHttpClient({ allowedCidrs: ['127.0.0.0/8'], timeoutMs: 15000, maxResponseBytes: 1024, maxHeaderBytes: 8192, connectionsPerOrigin: 32, userAgent: 't' });
  const body = 'AccountSid=AC0123456789abcdef0123456789abcdef&ApiVersion=2010-04-01&From=%2B15005550006&MessageSid=SM0123456789abcdef0123456789abcdef&MessageStatus=sent&SmsSid=SM0123456789abcdef0123456789abcdef&SmsStatus=sent&To=%2B15551234567';
  for (const round of [1, 2]) {
    const t0 = performance.now(); const c0 = process.cpuUsage();
    let left = N;
    await Promise.all(Array.from({ length: 32 }, async () => {
      while (left-- > 0) await client.request({ url, method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': 'L/OH5YylLD5NRKLltdqwSvS0BnU=' }, body });
    }));
    const c = process.cpuUsage(c0);
    process.stderr.write(`bare round ${round}: ${Math.round(N / (performance.now() - t0) * 1000)}/s cpu us/req ${Math.round((c.user + c.system) / N)}\n`);
  }
  await client.close();
  const database = await startTestDatabase(['accounts', 'messaging', 'notifications']);
  const producer = await startNotifications(database, { roles: ['api'] });
  const customer = await producer.openCustomer();
  for (const round of [1, 2]) {
    for (let at = 0; at < N; at += 500) {
      const ids = Array.from({ length: 250 }, () => newId());
      await producer.messaging.append(ids.flatMap((id) => eventsOf(id, customer, url, [{ definition: messageSent, data: { carrier: 'x' } }, { definition: messageDelivered, data: { carrier: 'x', doneDate: null } }])));
    }
    const t0 = performance.now();
    const running = await startNotifications(database);
    const c0 = process.cpuUsage();
    const t1 = performance.now();
    let peak = 0;
    await withClient(database.url, async (pgc) => {
      await eventually(async () => {
        const { rows } = await pgc.query(`select count(*)::int as n from notifications.delivery where state = 'delivered'`);
        peak = rows[0].n;
        return rows[0].n === N * round;
      }, { timeoutMs: 60000, everyMs: 50 });
      const { rows } = await pgc.query(`select sum(n_tup_upd) as upd, sum(n_tup_hot_upd) hot, sum(n_tup_ins) ins from pg_stat_user_tables where schemaname='notifications' and relname like 'delivery%'`);
      process.stderr.write(JSON.stringify(rows[0]) + '\n');
    });
    const c = process.cpuUsage(c0);
    process.stderr.write(`courier round ${round}: ${Math.round(N / (performance.now() - t1) * 1000)}/s cpu us/delivery ${Math.round((c.user + c.system) / N)} start ${Math.round(t1 - t0)} ms\n`);
    await running.stop();
  }
  await producer.stop();
  await database.stop();
  child.kill();
}, 200000);
