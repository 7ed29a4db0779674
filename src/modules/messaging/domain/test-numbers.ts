import { Failure, type FailureName } from '../../../shared/failure.js';

/** Twilio's magic recipients and senders, as they answer with test credentials. */
const RECIPIENTS: ReadonlyMap<string, FailureName> = new Map([
  ['+15005550001', 'invalid_to'],
  ['+15005550002', 'no_route'],
  ['+15005550003', 'region_not_enabled'],
  ['+15005550004', 'opted_out'],
  ['+15005550009', 'not_mobile'],
]);
const SENDERS: ReadonlyMap<string, FailureName> = new Map([
  ['+15005550001', 'invalid_from'],
  ['+15005550007', 'from_not_usable'],
  ['+15005550008', 'from_queue_full'],
]);

/** @throws Failure where the number is a test recipient that is refused */
export function refuseTestRecipient(to: string): void {
  const failure = RECIPIENTS.get(to);
  if (failure) throw new Failure(failure, { field: 'To' });
}

/** @throws Failure where the number is a test sender that is refused */
export function refuseTestSender(from: string): void {
  const failure = SENDERS.get(from);
  if (failure) throw new Failure(failure, { field: 'From' });
}
