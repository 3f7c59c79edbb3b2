"""What would the equipment of a lived-in home say, if there were no home?

In comes a street file (homes, who lives there how, their sensors), orders from a test or a demo ("she presses the
pendant", "the power fails") and, if asked for, chance.  Out go the messages that Zigbee2MQTT would publish to each
home's own broker, and a diary of every one of them, written before it is sent, and of what truly happened.  `simulate`
does the same for thousands of homes, into files.

It promises: nothing is on the radio that is not in the diary; a day is a function of seed, home, person and date,
so that a restart goes on where it stopped; no serial is used twice.  It knows the radio and nothing else:
it imports none of our own code, because a simulator that shared our decoder would agree with our mistakes.
"""
