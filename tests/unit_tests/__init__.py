"""LangChain's standard suites that need no store: `langchain_tests.unit_tests`."""
