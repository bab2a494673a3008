"""What runs inside of the sandbox, around the program. Only the code travels there: the standard library alone.

It speaks to the judge outside over one descriptor, in lines that begin with a word only the judge and it were told.
The word for the end comes after the program has loaded. What is used after that is bound before.
"""
