"""What pages of every service here share: how they look, the page of the API, what browsers are told of them."""
