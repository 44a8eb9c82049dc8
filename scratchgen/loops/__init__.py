"""Floor 0: the compiled twins of formulas, a file for each file of formulas. Not needed to read.

`backend/compiled.py` says how a call comes here, `backend/threads.py` how a loop uses several threads. What
loops share with each other stands directly in this folder. A function here computes what the formula of its
name does, takes the same arguments, and is documented there.
"""
