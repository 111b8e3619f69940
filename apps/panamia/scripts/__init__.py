"""What operators do by hand or by the clock: sign-in links, people who leave, mail that is owed, what has expired."""
