"""Pet sitting and its kin: what is had by the day. A service beside Pana MIA's, on the identity that is there."""
