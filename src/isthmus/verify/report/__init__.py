"""What a verification came to, told: sentences and choices that terminal and page share, and the page itself."""
