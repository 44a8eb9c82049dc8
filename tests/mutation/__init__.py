"""Mutation: break the code behind each equation on purpose, and see the tests of that equation fail."""
