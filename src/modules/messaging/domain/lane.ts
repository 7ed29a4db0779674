/** The lanes of dispatch. Realtime goes first; bulk goes last but is never starved. */
export const LANES = ['realtime', 'normal', 'bulk'] as const;
export type Lane = (typeof LANES)[number];

/** How many turns each lane gets in a round in which all have something to send. */
export const LANE_TURNS: Readonly<Record<Lane, number>> = { realtime: 16, normal: 4, bulk: 1 };

const BY_INTENT: Readonly<Record<string, Lane>> = {
  otp: 'realtime',
  fraud: 'realtime',
  security: 'realtime',
  marketing: 'bulk',
  events: 'bulk',
  polling: 'bulk',
};

/** The lane of a message by the `MessageIntent` of its request. */
export function laneOf(intent: string | undefined): Lane {
  return (intent !== undefined && Object.hasOwn(BY_INTENT, intent) && BY_INTENT[intent]) || 'normal';
}
