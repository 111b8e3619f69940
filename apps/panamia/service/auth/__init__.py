"""Who somebody is: sessions, sign-in links, providers, changes of address."""
