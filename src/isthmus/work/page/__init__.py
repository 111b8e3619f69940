"""One self-contained HTML page: the frame, colours and table script that every report shares.

A report is a Jinja2 template in its own package that begins with `{% extends "page/frame.html" %}` and fills the blocks
of the frame (see its first lines). Everything that comes from a database is escaped. The page loads nothing from
elsewhere, runs only the scripts that this package and the report ship, and is complete without them.
"""

from isthmus.work.page.rendering import render_page as render_page
