import { Injectable } from '@nestjs/common';
import { sidOf } from '../../../shared/sid.js';
import type { AccountsDemo } from '../contract/accounts.demo.js';
import { AssignPhoneNumber } from './assign-phone-number.js';
import { OpenAccount } from './open-account.js';
import { RotateAuthToken } from './rotate-auth-token.js';

const DEMO_SID = 'AC0000000000007000800000000000de30';
const DEMO_NUMBER = '+15005550006';

/** Makes the demo account, once; finds it at every later start. */
@Injectable()
export class OpenDemoAccount implements AccountsDemo {
  constructor(
    private readonly open: OpenAccount,
    private readonly rotate: RotateAuthToken,
    private readonly numbers: AssignPhoneNumber,
  ) {}

  /** See AccountsDemo. */
  async openDemoAccount(input: {
    sid?: string;
    authToken?: string;
  }): Promise<{ sid: string; authToken: string; phoneNumberSid: string }> {
    const opened = await this.open.open({
      friendlyName: 'Demo',
      tier: 'enterprise',
      sid: input.sid ?? DEMO_SID,
      ...(input.authToken ? { authToken: input.authToken } : {}),
    });
    const { sid } = opened.account;
    const isOther = input.authToken !== undefined && input.authToken !== opened.authToken;
    const authToken = isOther ? await this.rotate.rotate(sid, input.authToken) : opened.authToken;
    // The number is for tests and nobody's own: whichever account is the demo has it.
    const { id } = await this.numbers.assign({ accountSid: sid, phoneNumber: DEMO_NUMBER, takeOver: true });
    return { sid, authToken, phoneNumberSid: sidOf('PN', id) };
  }
}
