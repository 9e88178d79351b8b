"""Child processes for what is dangerous to do to strangers' bytes: a hostile job hurts nothing but its child.

``pool`` has a few of them and hands out jobs, ``process`` is the parent's end of one, and ``confined`` is
what runs in it.
"""
