"""Sends a message with Twilio's own package (pip install twilio), pointed at Trunkline.

    ACCOUNT_SID=AC... AUTH_TOKEN=... python3 examples/send.py [to] [text]
"""

import os
import sys
from urllib.parse import urlsplit

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

TRUNKLINE = urlsplit(os.environ.get("TRUNKLINE_URL", "http://127.0.0.1:3000"))


class Trunkline(TwilioHttpClient):
    """Sends every request of the SDK to Trunkline: the package itself has no setting for its address."""

    def request(self, method, url, *args, **kwargs):
        address = urlsplit(url)._replace(scheme=TRUNKLINE.scheme, netloc=TRUNKLINE.netloc)
        return super().request(method, address.geturl(), *args, **kwargs)


to = sys.argv[1] if len(sys.argv) > 1 else "+15555550100"
body = sys.argv[2] if len(sys.argv) > 2 else "Hello from Python"
client = Client(os.environ["ACCOUNT_SID"], os.environ["AUTH_TOKEN"], http_client=Trunkline())
message = client.messages.create(to=to, from_="+15005550006", body=body)
print(message.sid, message.status)
