import request from 'supertest';
import { startEdge, ACCOUNT, SECRET } from './edge.test-support.js';
it('x', async () => {
  const e = await startEdge({logLevel:'info'});
  const r = await request(e.app.getHttpServer()).post(`/2010-04-01/Accounts/${ACCOUNT}/Messages.json`).auth(ACCOUNT, SECRET).type('form').send('To=%2B1500&MediaUrl=a&MediaUrl=b');
  console.log(r.status, r.headers, r.text);
  for (const p of ['/nope','/2010-04-01/x', '/2010-04-01/Accounts/x/Messages.json','/%zz', '/v1/notes?limit=0', '/v1/fail','/openapi.json','/metrics','/health/ready','/docs/errors/20003']) {
    const r = await request(e.app.getHttpServer()).get(p).auth(ACCOUNT, SECRET);
    console.log(p, r.status, r.text.slice(0,1500), r.headers['content-type'], r.headers['x-request-id'], r.headers.allow);
  }
  console.log(e.lines);
  await e.app.close();
});
