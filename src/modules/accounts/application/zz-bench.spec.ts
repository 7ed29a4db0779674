import { startTestDatabase } from '../../../../test/support/database.js';
import { startModules } from '../../../../test/support/modules.js';
import { AccountsModule } from '../accounts.module.js';
import { AccountsApi } from '../contract/accounts.api.js';
import { OpenAccount } from './open-account.js';
it('bench', async () => {
  const server = await startTestDatabase(['accounts']);
  const p = await startModules(server.url, [AccountsModule], { consumers: false });
  const { account, authToken } = await p.module.get(OpenAccount).open({ friendlyName: 'a', tier: 'pro' });
  const api = p.module.get(AccountsApi);
  for (let round = 0; round < 4; round++) {
    const c = process.cpuUsage();
    for (let i = 0; i < 50_000; i++) await api.authenticate({ username: account.sid, password: authToken });
    console.log('authenticate us', process.cpuUsage(c).user / 50_000);
    const d = process.cpuUsage();
    for (let i = 0; i < 50_000; i++) await api.ownsNumber({ accountSid: account.sid, phoneNumber: '+15005550006' });
    console.log('ownsNumber us', process.cpuUsage(d).user / 50_000);
  }
  await p.close();
  await server.stop();
}, 120000);
