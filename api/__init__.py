"""What families and carers see, and what they tell us.

In: what alerts judged and told, who may see which home, and requests over HTTP.  Out: pages, answers, and an
access record of every look at a home.  A page never says more than is known: *fine* is compared with this process's
own clock on every answer.  `access` is the only way to a home; `views` and `pictures` decide what is said and are
pure; `routes` only join the two.
"""
