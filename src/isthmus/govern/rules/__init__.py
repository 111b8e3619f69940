"""The rules, one a module: `RULE` says what it is called and what it asks, the module's text is its page."""
