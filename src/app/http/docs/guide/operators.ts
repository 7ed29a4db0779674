import type { Chapter } from './guide.js';

const CURL = 'curl -H "Authorization: Bearer $OPERATOR_TOKEN"';
const OPERATOR = '"$TRUNKLINE/v1/operator';

export const OPERATORS: Chapter = {
  id: 'operators',
  title: 'For operators',
  blocks: [
    'The operator token is `OPERATOR_TOKEN`, or was printed at the first start. All of this can also be said as `npm run cli -- api <method> <path> [body]`, with which the token need not be typed.',
    {
      id: 'open-account',
      language: 'sh',
      title: 'Open an account; its auth token is told here only',
      sets: { CUSTOMER_SID: 'sid' },
      code: `${CURL} ${OPERATOR}/accounts" --json '{"friendly_name": "Acme", "tier": "pro"}'`,
    },
    {
      id: 'equip-account',
      language: 'sh',
      title: 'Put its sid into CUSTOMER_SID; give it a number and money. The same key credits once',
      code: `${CURL} ${OPERATOR}/accounts/$CUSTOMER_SID/phone-numbers" --json '{"phone_number": "+15005550111"}'
${CURL} ${OPERATOR}/accounts/$CUSTOMER_SID/credits" \\
  --json '{"amount": "100.00", "key": "invoice-1", "reason": "first payment"}'`,
    },
    {
      id: 'connect-carrier',
      language: 'sh',
      title: 'Set a price per segment, connect a carrier, and send a country its way',
      code: `${CURL} ${OPERATOR}/rates" --json '{"prefix": "+44", "price": "0.0400"}'
${CURL} ${OPERATOR}/carriers" --json '{"name": "acme-smsc", "type": "smpp", "host": "127.0.0.1", "port": 2775,
  "system_id": "user", "password": "secret", "bind": "transceiver", "window": 50, "tps": 100}'
${CURL} ${OPERATOR}/routes" --json '{"prefix": "+44", "carrier": "acme-smsc", "priority": 1}'`,
    },
    'The longest prefix that fits decides, then the lowest priority, then chance by weight. While a carrier is down or its breaker open, the next route takes over.',
    {
      id: 'watch',
      language: 'sh',
      title: 'Is it up, is all well, what was set aside, how are the carriers?',
      code: `curl "$TRUNKLINE/health/ready"
curl "$TRUNKLINE/metrics" | grep '^trunkline_queue_'
${CURL} ${OPERATOR}/audit"
${CURL} ${OPERATOR}/dead-letters"
${CURL} ${OPERATOR}/carriers"`,
    },
    {
      id: 'rehearse',
      language: 'sh',
      title: 'On a development start: let a simulated carrier refuse everything, look on, and mend it',
      code: `${CURL} -X PUT ${OPERATOR}/simulator/carriers/sim-smpp-1" --json '{"outage": "refuse"}'
${CURL} ${OPERATOR}/carriers/sim-smpp-1"
${CURL} -X PUT ${OPERATOR}/simulator/carriers/sim-smpp-1" --json '{"outage": "none"}'`,
    },
  ],
};
