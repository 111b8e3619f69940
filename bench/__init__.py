"""Speed and memory of Isthmus, measured against what the same server can do at best."""
