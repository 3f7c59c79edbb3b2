"""What would the equipment of a lived-in home say, if there were no home?

In comes a street file (homes, their residents' routines, their sensors) and orders from a test or a
demo ("she presses the pendant").  Out go the messages that Zigbee2MQTT would publish to each home's own
broker, and a diary of every one of them, written before it is sent.

It promises: nothing is on the radio that is not in the diary; a day is a function of seed, home and date,
so that a restart goes on where it stopped; no serial is used twice.  It knows the radio and nothing else:
it imports none of our own code, because a simulator that shared our decoder would agree with our mistakes.
"""
