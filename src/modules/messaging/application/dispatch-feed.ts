import type { LocalTail } from '../../../platform/event-log/consumer.js';
import type { StoredEvent } from '../../../shared/define-event.js';
import { submissionReturned } from '../../carriers/contract/carriers.events.js';
import { messageAccepted, messageQueued } from '../contract/messaging.events.js';
import type { Dispatcher } from './dispatcher.js';

/** What the dispatcher hears of messaging's own log: what waits, and what no longer does. */
export function messagingFeed(dispatcher: Dispatcher): LocalTail {
  return {
    id: 'messaging.dispatch',
    source: 'messaging',
    on: (events: readonly StoredEvent[]) => {
      for (const event of events) {
        if (event.type === messageAccepted.type || event.type === messageQueued.type) dispatcher.onAccepted(event);
        else dispatcher.onResolved(event);
      }
    },
    lost: () => dispatcher.reset(),
  };
}

/** What the dispatcher hears of the carriers' log: what was given back. */
export function carriersFeed(dispatcher: Dispatcher): LocalTail {
  return {
    id: 'messaging.dispatch-returns',
    source: 'carriers',
    on: (events: readonly StoredEvent[]) => {
      for (const event of events) if (event.type === submissionReturned.type) dispatcher.onReturned(event);
    },
    lost: () => dispatcher.reset(),
  };
}
