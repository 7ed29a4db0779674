import type { INestApplication } from '@nestjs/common';
import { AccountsDemo } from '../modules/accounts/contract/accounts.demo.js';
import { BillingDemo } from '../modules/billing/contract/billing.demo.js';
import { MessagingDemo } from '../modules/messaging/contract/messaging.demo.js';
import type { Environment, Settings } from '../platform/settings/settings.js';

const CREDIT_MICROS = 10_000_000_000;
const RATES = [
  { prefix: '+1', priceMicros: 7_900 },
  { prefix: '', priceMicros: 40_000 },
];
const DEMO_NUMBER = '+15005550006';

export interface Demo {
  readonly sid: string;
  readonly authToken: string;
  readonly serviceSid: string;
}

/** Makes the demo account with its number, credit, rates and messaging service, at the first start; finds it again later. */
export async function ensureDemo(app: INestApplication, environment: Environment): Promise<Demo> {
  const { sid, authToken, phoneNumberSid } = await app.get(AccountsDemo).openDemoAccount({
    ...(environment.DEMO_ACCOUNT_SID ? { sid: environment.DEMO_ACCOUNT_SID } : {}),
    ...(environment.DEMO_AUTH_TOKEN ? { authToken: environment.DEMO_AUTH_TOKEN } : {}),
  });
  await app.get(BillingDemo).ensureDemoBilling({ accountSid: sid, amountMicros: CREDIT_MICROS, rates: RATES });
  const { serviceSid } = await app.get(MessagingDemo).ensureDemoService({ accountSid: sid, phoneNumberSid });
  return { sid, authToken, serviceSid };
}

/** Tells the newcomer what there is and what to try. */
export function showDemo(url: string, demo: Demo, settings: Settings): void {
  console.log(`
  Trunkline is ready at ${url}

    account SID     ${demo.sid}
    auth token      ${demo.authToken}
    service SID     ${demo.serviceSid}
    operator token  ${settings.operatorToken}

  Send a message:

    curl -u ${demo.sid}:${demo.authToken} \\
      ${url}/2010-04-01/Accounts/${demo.sid}/Messages.json \\
      --data-urlencode To=+15555550100 --data-urlencode From=${DEMO_NUMBER} --data-urlencode 'Body=Hello from Trunkline'

  Reference: ${url}/docs   Stop with Ctrl-C.
`);
}
