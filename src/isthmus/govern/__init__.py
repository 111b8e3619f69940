"""Schema change under rules: SQL migrations and MongoDB model changes that cannot go wrong quietly.

`settings` reads what a project says of itself, `repository` what git holds (the index, HEAD, a base; never the working
tree), `migrations` what files, headers and journals mean, `rules` what must hold of them, one rule a module.
"""
