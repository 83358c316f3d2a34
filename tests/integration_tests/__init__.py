"""LangChain's standard suites over stores and models: `langchain_tests.integration_tests`.

Here they need no service and no network either.
"""
