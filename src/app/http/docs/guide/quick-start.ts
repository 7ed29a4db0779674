import type { Chapter } from './guide.js';

/** From nothing to a delivered message. */
export function quickStart(baseUrl: string): Chapter {
  return {
    id: 'quick-start',
    title: 'Quick start',
    blocks: [
      "The API is Twilio's: what is written for it runs here once it is told another address. An account has a SID and an auth token; the operator of this service gives them out.",
      {
        id: 'variables',
        language: 'sh',
        title: 'The examples below use these variables; put your own values in',
        code: `export TRUNKLINE=${baseUrl}
export ACCOUNT_SID=AC… AUTH_TOKEN=…
export FROM=+15005550006   # a number of the account`,
      },
      {
        id: 'send-curl',
        language: 'sh',
        title: 'Send a message with curl; its sid is in the answer',
        sets: { MESSAGE_SID: 'sid' },
        code: `curl -u "$ACCOUNT_SID:$AUTH_TOKEN" "$TRUNKLINE/2010-04-01/Accounts/$ACCOUNT_SID/Messages.json" \\
  --data-urlencode To=+15555550100 --data-urlencode "From=$FROM" --data-urlencode 'Body=Hello'`,
      },
      {
        id: 'fetch-curl',
        language: 'sh',
        title: 'Put the sid into MESSAGE_SID, and see what became of it',
        code: `curl -u "$ACCOUNT_SID:$AUTH_TOKEN" "$TRUNKLINE/2010-04-01/Accounts/$ACCOUNT_SID/Messages/$MESSAGE_SID.json"`,
      },
      {
        id: 'send-node',
        language: 'js',
        title: "Node.js, with Twilio's package (npm install twilio): both base URLs are plain properties",
        code: `import twilio from 'twilio';

const client = twilio(process.env.ACCOUNT_SID, process.env.AUTH_TOKEN);
client.api.baseUrl = client.messaging.baseUrl = process.env.TRUNKLINE;

const message = await client.messages.create({ to: '+15555550100', from: process.env.FROM, body: 'Hello' });
console.log(message.sid, message.status);`,
      },
      {
        id: 'send-python',
        language: 'py',
        title: "Python, with Twilio's package (pip install twilio): no edge or region may be set",
        code: `import os
from twilio.rest import Client

client = Client(os.environ["ACCOUNT_SID"], os.environ["AUTH_TOKEN"])
client.api.base_url = client.messaging.base_url = os.environ["TRUNKLINE"]

message = client.messages.create(to="+15555550100", from_=os.environ["FROM"], body="Hello")
print(message.sid, message.status)`,
      },
    ],
  };
}
