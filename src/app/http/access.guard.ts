import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AccountsApi } from '../../modules/accounts/contract/accounts.api.js';
import { ACCESS, ACTS_ON_INACTIVE, type Access, CREATES_MESSAGE, READS_BYTES } from '../../platform/http/decorators.js';
import type { Settings } from '../../platform/settings/settings.js';
import { SETTINGS } from '../../platform/tokens.js';
import { Failure } from '../../shared/failure.js';
import type { Principal } from '../../shared/principal.js';
import { parseSid, sidOf } from '../../shared/sid.js';
import { basicCredentials, digestOf, isBearer } from './credentials.js';
import { FailedLogins } from './failed-logins.js';
import { readContent, readParameters } from './request-content.js';
import { RequestLimits } from './request-limits.js';

const CUSTOMER_CHALLENGE = 'Basic realm="Trunkline", charset="UTF-8"';
const OPERATOR_CHALLENGE = 'Bearer realm="Trunkline operator"';

interface RouteRule {
  readonly access: Access;
  readonly actsOnInactive: boolean;
  readonly createsMessage: boolean;
  readonly readsBytes: boolean;
}

/**
 * Decides who may call a route, and denies whatever no rule allows: a route that says nothing about itself needs a
 * customer's credentials. A customer's request takes a place in the limits of its account. Reads the request's content
 * only after all that, so that a stranger's, or one too many, costs nothing.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly rules = new WeakMap<object, WeakMap<object, RouteRule>>();
  private readonly operatorToken: Buffer;

  constructor(
    private readonly accounts: AccountsApi,
    private readonly reflector: Reflector,
    private readonly limits: RequestLimits,
    private readonly logins: FailedLogins,
    @Inject(SETTINGS) settings: Settings,
  ) {
    this.operatorToken = digestOf(settings.operatorToken);
  }

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const http = execution.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const rule = this.ruleOf(execution);
    if (rule.access === 'customer') return this.admitCustomer(request, reply, rule);
    if (rule.access === 'operator') this.requireOperator(request, reply);
    if (rule.readsBytes) readParameters(request);
    else readContent(request);
    return true;
  }

  private ruleOf(execution: ExecutionContext): RouteRule {
    const controller = execution.getClass();
    const handler = execution.getHandler();
    const ofController = this.rules.get(controller) ?? new WeakMap<object, RouteRule>();
    const known = ofController.get(handler);
    if (known) return known;
    const targets = [handler, controller];
    const rule = {
      access: this.reflector.getAllAndOverride<Access | undefined>(ACCESS, targets) ?? 'customer',
      actsOnInactive: this.reflector.getAllAndOverride<boolean | undefined>(ACTS_ON_INACTIVE, targets) ?? false,
      createsMessage: this.reflector.getAllAndOverride<boolean | undefined>(CREATES_MESSAGE, targets) ?? false,
      readsBytes: this.reflector.getAllAndOverride<boolean | undefined>(READS_BYTES, targets) ?? false,
    };
    this.rules.set(controller, ofController.set(handler, rule));
    return rule;
  }

  private requireOperator(request: FastifyRequest, reply: FastifyReply): void {
    const { authorization } = request.headers;
    this.logins.admit(request.ip, authorization);
    if (!isBearer(authorization, this.operatorToken)) {
      this.logins.failed(request.ip, authorization);
      reply.header('www-authenticate', OPERATOR_CHALLENGE);
      throw new Failure('unauthenticated', { detail: 'Authentication Error - the operator token is missing or wrong' });
    }
    this.logins.succeeded(authorization);
  }

  private async admitCustomer(request: FastifyRequest, reply: FastifyReply, rule: RouteRule): Promise<boolean> {
    const principal = await this.customer(request, reply);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const asked = (request.params as { AccountSid?: string }).AccountSid;
    const isOwn = asked === undefined || asked === principal.accountSid;
    if (!isOwn) requireActive(principal, isRead);
    const acting = isOwn ? principal : await this.ofPath(asked, principal, reply);
    request.context.principal = acting;
    const admitted = this.limits.admit(acting, rule.createsMessage, reply);
    if (admitted) await admitted;
    // A closed subaccount stays readable to its owner; what may be written to an inactive one, the route says.
    if (acting.accountSid === principal.accountSid || (!isRead && !rule.actsOnInactive)) requireActive(acting, isRead);
    readContent(request);
    return true;
  }

  private async customer(request: FastifyRequest, reply: FastifyReply): Promise<Principal> {
    const { authorization } = request.headers;
    this.logins.admit(request.ip, authorization);
    const credentials = basicCredentials(authorization);
    const principal = credentials && (await this.accounts.authenticate(credentials));
    if (principal) {
      this.logins.succeeded(authorization);
      return principal;
    }
    this.logins.failed(request.ip, authorization);
    throw refuse(reply);
  }

  /** Whom the credentials act as on another account's path: they must be its owner's. */
  private async ofPath(asked: string, principal: Principal, reply: FastifyReply): Promise<Principal> {
    const id = parseSid('AC', asked);
    if (id === null) throw new Failure('not_found');
    const accountSid = sidOf('AC', id);
    if (accountSid === principal.accountSid) return principal;
    const subaccount = await this.subaccount(principal, accountSid);
    if (!subaccount) throw refuse(reply);
    return subaccount;
  }

  /** The principal that the owner of a subaccount acts as; null where the account is not there or not its own. */
  private async subaccount(owner: Principal, accountSid: string): Promise<Principal | null> {
    const account = await this.accounts.getAccount({ accountSid });
    if (account?.ownerAccountSid !== owner.accountSid) return null;
    const { status, tier, messagesPerMinute, messagesPerSecond, messagesPerDay, unknownOutcome } = account;
    return {
      accountSid,
      status,
      tier,
      credential: owner.credential,
      messagesPerMinute,
      messagesPerSecond,
      messagesPerDay,
      unknownOutcome,
    };
  }
}

function requireActive({ status }: Principal, isRead: boolean): void {
  if (status === 'active' || (status === 'suspended' && isRead)) return;
  throw new Failure('account_not_active', { detail: `Account is not active: it is ${status}` });
}

/** The same answer whatever is wrong, so that it tells nobody which accounts there are. */
function refuse(reply: FastifyReply): Failure {
  reply.header('www-authenticate', CUSTOMER_CHALLENGE);
  return new Failure('unauthenticated');
}
