import { type DeadDelivery, NotificationsApi } from '../../modules/notifications/contract/notifications.api.js';
import { EventBus } from '../../platform/event-log/event-bus.js';
import { encodeCursor } from '../../platform/http/page.js';
import { DeadLettersController } from './dead-letters.controller.js';

const DEAD: DeadDelivery[] = Array.from({ length: 5 }, (_, index) => {
  const messageSid = `SM${String(index).repeat(32)}`;
  return { id: `${messageSid}-2`, messageSid, reason: 'HTTP 500', attempts: 7, at: '2026-01-01T00:00:00.000Z' };
});

/** Notifications whose dead deliveries are those above. */
class FiveDead extends NotificationsApi {
  async listDead({ after, limit }: { after: string | null; limit: number }): Promise<DeadDelivery[]> {
    return DEAD.filter(({ id }) => after === null || id > after).slice(0, limit);
  }

  async resolveDead({ id }: { id: string }): Promise<boolean> {
    return DEAD.some((delivery) => delivery.id === id);
  }

  digest = () => Promise.resolve([]);
  listDeliveries = () => Promise.resolve([]);
}

describe('the dead letters', () => {
  const quiet = { warn: () => undefined, error: () => undefined };
  const letters = new DeadLettersController(new EventBus(quiet), new FiveDead());

  it('are listed page by page, each once', async () => {
    const seen: string[] = [];
    for (let cursor: string | undefined, pages = 0; pages < 3; pages++) {
      const page = await letters.list({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.data.map((letter) => letter.id));
      cursor = page.next_cursor ?? undefined;
    }
    expect(seen).toEqual(DEAD.map(({ id }) => `webhook:${id}`));
  });

  it.each([
    [['event', 'consumer:1']],
    [['nothing']],
    [['event:consumer']],
    [['event:consumer:99999999999999999999']],
    [['webhook:nothing-2']],
    [[1]],
  ])('refuse a forged cursor: %j', async (parts) => {
    await expect(letters.list({ limit: 2, cursor: encodeCursor(parts) })).rejects.toMatchObject({
      failure: 'invalid_parameter',
      field: 'cursor',
    });
  });

  it('are resolved where they exist', async () => {
    const id = `webhook:${DEAD[0]!.id}`;
    expect(await letters.retry(id)).toEqual({ id, action: 'retry' });
    for (const unknown of ['nothing', 'event:nobody:1', `webhook:SM${'f'.repeat(32)}-2`]) {
      await expect(letters.skip(unknown)).rejects.toMatchObject({ failure: 'not_found' });
    }
  });
});
