"""The agent that makes features: it looks at a table, proposes columns, and keeps those that help."""
