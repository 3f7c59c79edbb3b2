"""What can go wrong with a backup, so that a person must act?"""


class Damaged(Exception):
    """A part of a backup is not what was written; take another backup, and look at the disk that it lay on."""


class Different(Exception):
    """What was restored is not what was backed up: the backup must not be relied on; take another one."""


class Refused(Exception):
    """What was asked for would hurt, or was taken back; nothing was changed."""


PROBLEMS = (Damaged, Different, Refused)
