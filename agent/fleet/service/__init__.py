"""The embedded central service for one school on one machine: a static site repository, returns, and a page
for IT.

It is trusted with nothing: what it serves is signed elsewhere, what it takes is sealed to the desk.
"""
