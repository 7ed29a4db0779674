"""Sends a message with Twilio's own package (pip install twilio), pointed at Trunkline.

    ACCOUNT_SID=AC... AUTH_TOKEN=... python3 examples/send.py [to] [text]
"""

import os
import sys
import time

from twilio.rest import Client

FINAL = ("delivered", "undelivered", "failed", "canceled")
LOOKS = 60

to = sys.argv[1] if len(sys.argv) > 1 else "+15555550100"
body = sys.argv[2] if len(sys.argv) > 2 else "Hello from Python"

# The base URLs are plain attributes. An edge or region, also from TWILIO_EDGE or TWILIO_REGION, would change the host.
client = Client(os.environ["ACCOUNT_SID"], os.environ["AUTH_TOKEN"])
client.api.base_url = client.messaging.base_url = os.environ.get("TRUNKLINE_URL", "http://127.0.0.1:3000")

message = client.messages.create(to=to, from_="+15005550006", body=body)
print(message.sid, message.status)
for _ in range(LOOKS):
    if message.status in FINAL:
        break
    time.sleep(0.5)
    message = client.messages(message.sid).fetch()
print(message.sid, message.status, message.price or "", message.price_unit, message.error_message or "")
