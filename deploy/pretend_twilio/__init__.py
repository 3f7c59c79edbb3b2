"""What would Twilio do?  An HTTP server that answers, fails and calls back as it does, for demo and tests.

It checks the account, the numbers and the length of a text, moves each text through Twilio's states, signs what
it calls back, and lets its phones answer.  It can be told to fail in every way that we know Twilio to fail.
It shares no code with our own door to Twilio, only Twilio's signer; so it does not agree with our mistakes.
"""

from deploy.pretend_twilio.behaviour import Account
from deploy.pretend_twilio.ledger import Direction, Status, Text
from deploy.pretend_twilio.script import ANY, Calls
from deploy.pretend_twilio.server import PretendTwilio

__all__ = ["ANY", "Account", "Calls", "Direction", "PretendTwilio", "Status", "Text"]
